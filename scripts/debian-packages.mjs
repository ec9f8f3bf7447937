/**
 * The foreign programs that the tests run beside our own: real servers, a real load generator,
 * the program that draws the diagrams. On Debian, as root, what is missing is installed;
 * elsewhere the packages and the command are named.
 *
 * Installing a server package must neither start a service nor arrange that one starts at the
 * next boot: the tests start their own private copies. Three things see to it:
 *
 * - MariaDB comes as its `-core` packages, which have programs and no service.
 * - `invoke-rc.d` and `deb-systemd-invoke`, the only two ways in which maintainer scripts start
 *   a service, ask /usr/sbin/policy-rc.d first and obey its exit code 101 ("not allowed"). The
 *   path is fixed in both (a variable POLICYRCD is read by neither), so a file is put there for
 *   the time of the installation, and only where none is. A policy that is there already is
 *   the administrator's: it is kept, and if it allows starts, we do not install.
 * - Maintainer scripts also enable the service for the next boot, which no policy prevents. The
 *   start links that appeared during the installation are disabled again afterwards, with
 *   Debian's own tools, which record that an administrator does not want them.
 *
 * apt may neither upgrade nor remove anything. The package lists are fetched only when apt
 * does not find a package or its file with the lists that are there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';

const policyFile = '/usr/sbin/policy-rc.d';
const policyText = `#!/bin/sh
# Put here by waterhammer's tests while they install packages: no service may be started.
exit 101
`;

/** Programs the tests call, and the package that brings each. */
const programs = [
  ['nginx', 'nginx-light'],
  ['mariadbd', 'mariadb-server-core'],
  ['mariadb-install-db', 'mariadb-server-core'],
  ['my_print_defaults', 'mariadb-client-core'],
  ['haproxy', 'haproxy'],
  ['wrk', 'wrk'],
  ['plantuml', 'plantuml'],
  ['jmeter', 'jmeter'],
  ['chromium', 'chromium'],
  ['ffprobe', 'ffmpeg'],
  ['curl', 'curl'],
  ['ip', 'iproute2'],
  ['ss', 'iproute2'],
];

/** Services whose processes must not appear; pid files tell the system's from a private copy. */
const pidFiles = ['/run/nginx.pid', '/run/mysqld/mysqld.pid', '/run/haproxy.pid'];

/** Programs that are missing here, with their packages. */
export function missingPrograms() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return programs
    .filter(([program]) => !folders.some((folder) => existsSync(join(folder, program))))
    .map(([program, packageName]) => ({ program, packageName }));
}

/** The command a user would type. */
export function installCommand(packages) {
  return `apt-get install --no-install-recommends ${packages.join(' ')}`;
}

export function isRootOnDebian() {
  if (process.getuid?.() !== 0 || !existsSync('/etc/os-release')) {
    return false;
  }
  return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/**
 * Installs packages without starting or enabling any service.
 * @returns null, or the reason why it was not done
 */
export function installPackages(packages) {
  const foreignPolicy = existsSync(policyFile);
  if (foreignPolicy && policyAllowsStart()) {
    return `${policyFile} exists and allows services to start; install the packages yourself`;
  }
  const linksBefore = startLinks();
  const pidsBefore = new Set(pidFiles.filter((path) => existsSync(path)));
  if (!foreignPolicy) {
    writeFileSync(policyFile, policyText, { mode: 0o755, flag: 'wx' });
  }
  try {
    if (!aptInstall(packages)) {
      run('apt-get', ['update', '-qq'], 'inherit');
      if (!aptInstall(packages, 'inherit')) {
        return 'apt-get failed: see its message above';
      }
    }
  } finally {
    disableNewLinks(linksBefore);
    if (!foreignPolicy) {
      rmSync(policyFile, { force: true });
    }
  }
  const started = pidFiles.filter((path) => existsSync(path) && !pidsBefore.has(path));
  const enabled = newLinks(linksBefore);
  if (started.length + enabled.length > 0) {
    return `the installation started or enabled a service: ${[...started, ...enabled].join(', ')}`;
  }
  return null;
}

function policyAllowsStart() {
  return run(policyFile, ['nginx', 'start']) !== 101;
}

function aptInstall(packages, output) {
  const options = ['-y', '-qq', '--no-install-recommends', '--no-upgrade', '--no-remove'];
  const settings = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Options::=--force-confold'];
  return run('apt-get', ['install', ...options, ...settings, ...packages], output) === 0;
}

/** The links by which a service starts at boot: systemd's and those of the run levels. */
function startLinks() {
  const units = '/etc/systemd/system';
  const wants = list(units).filter((name) => /\.(wants|requires)$/.test(name));
  return [
    ...wants.flatMap((name) => list(join(units, name)).map((link) => join(units, name, link))),
    ...['rc2.d', 'rc3.d', 'rc4.d', 'rc5.d'].flatMap((level) =>
      list(join('/etc', level))
        .filter((link) => link.startsWith('S'))
        .map((link) => join('/etc', level, link)),
    ),
  ];
}

function newLinks(before) {
  return startLinks().filter((link) => !before.includes(link));
}

function disableNewLinks(before) {
  for (const link of newLinks(before)) {
    const name = basename(link);
    if (link.startsWith('/etc/systemd/')) {
      run('deb-systemd-helper', ['disable', name]);
    } else {
      run('update-rc.d', [name.replace(/^S\d\d/, ''), 'disable']);
    }
  }
}

function list(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Its output goes nowhere, or ('inherit') to stderr. */
function run(command, options, output = 'ignore') {
  const sink = output === 'inherit' ? 2 : 'ignore';
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    NEEDRESTART_SUSPEND: '1',
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
  };
  return spawnSync(command, options, { stdio: ['ignore', sink, sink], env }).status;
}

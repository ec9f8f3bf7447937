/** Links of the Markdown files, and words that no tracked file may contain. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, normalize, relative } from 'node:path';
import { root, type SourceFile } from './source-files.ts';

/**
 * Relative links that lead nowhere: a missing file, a missing heading, or a place outside the
 * repository, which a reader of a plain clone does not have. Links to the web are not tried.
 */
export function deadLinks(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    linksOf(text)
      .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
      .flatMap((target) => {
        const reason = whyDead(path, target);
        return reason === null ? [] : [`${path}: ${target} (${reason})`];
      }),
  );
}

function linksOf(text: string): string[] {
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
  const inline = prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g);
  const references = prose.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)>?/gm);
  return [...inline, ...references].map((match) => match[1] ?? '');
}

function whyDead(from: string, target: string): string | null {
  const [place = '', heading] = target.split('#', 2);
  const path = place === '' ? from : normalize(join(dirname(from), decodeURI(place)));
  if (path.startsWith('..')) {
    return 'outside the repository';
  }
  const file = join(root, path);
  if (!existsSync(file)) {
    return 'no such file';
  }
  if (heading === undefined || !path.endsWith('.md') || statSync(file).isDirectory()) {
    return null;
  }
  return anchorsOf(readFileSync(file, 'utf8')).includes(heading) ? null : 'no such heading';
}

/** Anchors as GitHub makes them from headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/**
 * Hosts of package registries: a file that names one ties the project to it. They are put
 * together here, because this file is searched too.
 */
const registryHosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['static', 'crates', 'io'],
  ['proxy', 'golang', 'org'],
].map((labels) => labels.join('.'));

/** Registry hosts, and folders of the machine on which somebody works. */
export function foreignWords(files: readonly SourceFile[]): string[] {
  const words = [...registryHosts, ...ownRegistry(), ...machineFolders()];
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`(?<![\\w.-])(${escaped.join('|')})`);
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
}

function ownRegistry(): string[] {
  const address = process.env.npm_config_registry;
  return address === undefined ? [] : [new URL(address).host];
}

/** The folder of this clone, the one around it and the user's home, unless they mean nothing. */
function machineFolders(): string[] {
  const common = ['/', '/tmp', '/home', '/var', '/var/tmp', '/opt', '/srv', '/usr/src'];
  return [relative('/', root), relative('/', dirname(root)), relative('/', homedir())]
    .map((folder) => `/${folder}`)
    .filter((folder) => !common.includes(folder))
    .map((folder) => `${folder}/`);
}

/** Packages of the lock file that name the address they come from. */
export function lockedAddresses(text: string): string[] {
  const lock: { packages: Record<string, { resolved?: string }> } = JSON.parse(text);
  return Object.entries(lock.packages)
    .filter(([, entry]) => entry.resolved?.startsWith('http'))
    .map(([name]) => name);
}

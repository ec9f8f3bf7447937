#!/usr/bin/env node
/**
 * The command line. One file per command; this one only names them, so that `--help` costs
 * nothing: each command's code is loaded when it is run. The only place (with its commands)
 * for argv, stdout and exit codes: 0 done, 1 failed or not balanced, 2 bad input, 130 interrupted.
 */
import { type Command, CommanderError, Option } from 'commander';
import { CommandLine } from './command-line.ts';
import { ExitCode } from './exit-code.ts';
import { collect, factor, number, port, whole, wholeWithin } from './option-values.ts';
import { version } from './version.ts';

function program(): Command {
  const cli = new CommandLine('waterhammer')
    .description(
      'Runs, shows, diagnoses and cures the TCP connection behaviour of a whole HTTP pipeline.',
    )
    .version(version)
    .showSuggestionAfterError()
    .exitOverride();
  addRun(cli);
  addSimulate(cli);
  cli
    .command('demo')
    .description('the incident, and the same with the cure, at a size that fits this machine')
    .option('--seed <n>', 'seed of all chance', whole(0), 1)
    .option('--record <dir>', 'where the two recordings go (default: recordings/demo-<time>)')
    .option('--json', 'print both summaries as JSON on stdout')
    .option('--verbose', 'print what every hop logs')
    .action(async (options) => finish((await import('./demo.ts')).demo(options)));
  cli
    .command('schema')
    .description('print the JSON Schema of topology documents')
    .action(async () => finish((await import('./schema.ts')).schema()));
  cli
    .command('ledger')
    .description('strike the books of a recording again, or follow one request through every link')
    .argument('<recording>', 'a recording folder')
    .option('--client <c>', 'a client: its number, or group/number')
    .option('--request <n>', 'the number of its request, from 1', whole(1))
    .option('--json', 'print JSON')
    .action(async (recording, options) =>
      finish((await import('./ledger.ts')).ledger(recording, options)),
    );
  cli
    .command('recover')
    .description('make the recording of a killed run readable')
    .argument('<recording>', 'the recording folder of the run')
    .option('--record-events', 'keep every event, not only connections, exchanges and series')
    .option('--ndjson', 'write the events as NDJSON too')
    .option('--json', 'print what was recovered, and its summary, as JSON on stdout')
    .action(async (recording, options) =>
      finish((await import('./recover.ts')).recover(recording, options)),
    );
  addCalibrate(cli);
  addCompare(cli);
  addExplain(cli);
  addDiagram(cli);
  addReport(cli);
  addFilm(cli);
  cli
    .command('open')
    .description('look at a recording in the browser, or at two side by side')
    .argument('[recording]', 'a recording folder; default: the newest one in this folder')
    .argument('[other]', 'another, for example of the same with a cure')
    .option('--port <n>', 'port on loopback; 0: any that is free', port, 0)
    .option('--json', 'print the address as JSON on stdout')
    .action(async (recording, other, options) =>
      finish((await import('./open.ts')).open(recording ?? null, other ?? null, options)),
    );
  cli
    .command('control')
    .description('change a running run: set a setting, or cause a fault')
    .argument('<recording>', 'the recording folder of the run')
    .argument('<action>', 'set, slow, stall, replace-nodes, host-down, deregister, ...')
    .argument('[arguments...]', 'path=value for set; name=value pairs for faults')
    .addHelpText('after', controlExamples)
    .action(async (recording, action, rest) =>
      finish((await import('./control.ts')).control(recording, action, rest)),
    );
  return cli;
}

const controlExamples = `
Examples:
  waterhammer control rec set apigw.throttle.ratePerSecond=200/s
  waterhammer control rec stall hop=db lasts=5s
  waterhammer control rec replace-nodes hop=apigw count=2`;

function addRun(cli: Command): void {
  cli
    .command('run')
    .description('run a topology on real sockets on this machine and account for every connection')
    .argument('[topology]', 'a topology document (YAML); default: the incident of the examples')
    .option('--duration <time>', 'length of the load, e.g. 20s or 2m')
    .option('--scale <factor>', 'fraction of hosts, nodes, rates and capacity', factor, 1)
    .option('--time-scale <factor>', 'multiply all durations, divide all rates', factor, 1)
    .option('--set <path=value>', 'override a setting, e.g. queue.reclaim=idle-yield', collect, [])
    .option('--process-per-hop', 'run each hop in its own process: CPU time by hop')
    .option('--seed <n>', 'seed of all chance', whole(0), 1)
    .option('--record <dir>', 'keep a recording in this folder')
    .option('--record-events', 'record every event, not only connections, exchanges and series')
    .option('--record-policies', "record every policy's inputs and decisions for replay")
    .option('--ndjson', 'write the recorded events as NDJSON too')
    .option('--no-load', 'run no clients; print the address for curl, wrk, k6 or JMeter')
    // For bench/recording.mjs: what the events and the live table cost.
    .addOption(new Option('--no-books', 'book no event at all').hideHelp())
    .option('--page', 'serve a page that shows it, also with --json (default without)')
    .option('--no-page', 'serve no page')
    .option('--json', 'print the summary as JSON on stdout, nothing else')
    .option('--verbose', 'print what every hop logs, and every effective setting')
    .action(async (topology, options) =>
      finish((await import('./run.ts')).run(topology ?? null, options)),
    );
}

function addSimulate(cli: Command): void {
  cli
    .command('simulate')
    .description('live through a topology in simulated time: hours at full scale, in minutes')
    .argument('[topology]', 'a topology document (YAML); default: the incident of the examples')
    .option('--duration <time>', 'length of the load, e.g. 20m or 24h')
    .option('--start <time>', 'time of day at which it begins, e.g. 00:00')
    .option('--scale <factor>', 'fraction of hosts, nodes, rates and capacity', factor, 1)
    .option('--time-scale <factor>', 'multiply all durations, divide all rates', factor, 1)
    .option('--set <path=value>', 'override a setting, e.g. queue.reclaim=idle-yield', collect, [])
    .option('--seed <n>', 'seed of all chance', whole(0), 1)
    .addOption(
      new Option('--detail <detail>', 'full: every connection and exchange; series: counts only')
        .choices(['auto', 'full', 'series'])
        .default('auto', 'auto: full up to 3 million requests'),
    )
    .addOption(
      new Option('--resolution <time>', 'what a row of the series stands for, where it is counts')
        .choices(['auto', '1s', '10s', '60s'])
        .default('auto', 'auto: 1s, beyond two hours 60s'),
    )
    .option('--record <dir>', 'keep a recording in this folder')
    .option('--record-events', 'record every event, not only connections, exchanges and series')
    .option('--record-policies', "record every policy's inputs and decisions for replay")
    .option('--ndjson', 'write the recorded events as NDJSON too')
    .option('--page', 'serve a page that shows it, also with --json (default without)')
    .option('--no-page', 'serve no page')
    .option('--json', 'print the summary as JSON on stdout, nothing else')
    .option('--verbose', 'print every effective setting')
    .action(async (topology, options) =>
      finish((await import('./simulate.ts')).simulate(topology ?? null, options)),
    );
}

function addCalibrate(cli: Command): void {
  cli
    .command('calibrate')
    .description('fit what is not documented to what was measured, and predict the rest')
    .argument('<topology>', 'a topology document (YAML)')
    .requiredOption('--targets <file>', 'windows, parameters and targets (YAML)')
    .option(
      '--evaluations <n>',
      'points of the search; 0 = judges the topology as it stands',
      whole(0),
      60,
    )
    .option('--alternatives <n>', 'other points that fit, to predict at too', whole(0), 2)
    .option('--workers <n>', 'processes that simulate (default: cores - 1)', whole(1))
    .option('--seed <n>', 'seed of all chance', whole(0), 1)
    .option('--json', 'print JSON on stdout, nothing else')
    .action(async (topology, options) =>
      finish((await import('./calibrate.ts')).calibrateCommand(topology, options)),
    );
}

function addCompare(cli: Command): void {
  cli
    .command('compare')
    .description('two recordings, measure by measure: how far they are apart, greatest first')
    .argument('<a>', 'a recording folder')
    .argument('<b>', 'another, of either engine')
    .option(
      '--repeat <recording>',
      'a further run of A (repeatable): what such runs differ by is the bound',
      collect,
      [],
    )
    .option('--repeat-b <recording>', 'a further run of B (repeatable)', collect, [])
    .option(
      '--grain <ms>',
      'compare durations in steps of this, e.g. 5 where one side runs on timers',
      number(0),
      0,
    )
    .option('--json', 'print JSON on stdout, nothing else')
    .action(async (a, b, options) => finish((await import('./compare.ts')).compare(a, b, options)));
}

function addExplain(cli: Command): void {
  cli
    .command('explain')
    .description('closed-form answers about a topology, and how far the simulator is from them')
    .argument('[topology]', 'a topology document (YAML); default: the incident of the examples')
    .option('--set <path=value>', 'override a setting, e.g. apigw.nodes=16', collect, [])
    .option('--scale <factor>', 'fraction of hosts, nodes, rates and capacity', factor, 1)
    .option('--time-scale <factor>', 'multiply all durations, divide all rates', factor, 1)
    .option('--no-simulate', 'print the closed forms only')
    .option('--seeds <n>', 'runs to compare with, 2 to 20', wholeWithin(2, 20), 5)
    .option('--duration <time>', 'length of each run after its warm-up, e.g. 5m')
    .option('--json', 'print JSON on stdout, nothing else')
    .action(async (topology, options) =>
      finish((await import('./explain.ts')).explain(topology ?? null, options)),
    );
}

function addDiagram(cli: Command): void {
  cli
    .command('diagram')
    .description('sequence diagrams of a client: assumed (one connection a hop) and actual')
    .argument('<recording>', 'a recording folder')
    .requiredOption('--client <c>', 'a client: its number, or group/number')
    .option('--requests <range>', 'which of its requests, e.g. 2 or 1..3', '1..3')
    .option('--format <format>', 'plantuml, mermaid or svg', 'plantuml')
    .option('--which <which>', 'assumed, actual or both', 'both')
    .option('-o, --output <file>', 'write to a file instead of stdout')
    .option('--json', 'print JSON on stdout: the diagrams, or the file they were written to')
    .action(async (recording, options) =>
      finish((await import('./diagram.ts')).diagram(recording, options)),
    );
}

function addReport(cli: Command): void {
  cli
    .command('report')
    .description('one self-contained HTML file: story, charts, diagrams, findings, books')
    .argument('<recording>', 'a recording folder')
    .option('-o, --output <file>', 'where to write it', 'report.html')
    .option('--against <recording>', 'the run before a cure: its figures and lines beside')
    .option('--pdf', 'also as PDF, beside it (needs Chromium)')
    .option('--json', 'print what was written as JSON on stdout')
    .action(async (recording, options) =>
      finish((await import('./report.ts')).report(recording, options)),
    );
}

function addFilm(cli: Command): void {
  cli
    .command('film')
    .description('a film (H.264, through Chromium) of the connections over time')
    .argument('<recording>', 'a recording folder')
    .option('-o, --output <file>', 'an .mp4; or a .png of the worst second', 'film.mp4')
    .option('--seconds <n>', 'length; default: the load, at most a minute', whole(1))
    .option('--frames-per-second <n>', 'frames per second', whole(1), 30)
    .option('--json', 'print what was written as JSON on stdout')
    .action(async (recording, options) =>
      finish((await import('./film.ts')).film(recording, options)),
    );
}

async function finish(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
}

try {
  await program().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    const { reportError } = await import('./report-error.ts');
    process.exitCode = reportError(error);
  } else {
    process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.badInput;
  }
}

/**
 * Commander, but everything that is wrong with a command line is said at once, as it is with
 * documents: wrong values, options that there are not, arguments that are missing or too many.
 * Commander's own way is to stop at the first. What remains its own: an unknown command, help.
 */
import { Command, CommanderError, InvalidArgumentError, type Option } from 'commander';

const SAID_TOGETHER = new Set([
  'commander.unknownOption',
  'commander.excessArguments',
  'commander.missingArgument',
  'commander.optionMissingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.invalidArgument',
]);

export class CommandLine extends Command {
  /** Shared with its commands. */
  readonly #mistakes: string[];
  #unknown: readonly string[] = [];

  constructor(name?: string, mistakes: string[] = []) {
    super(name);
    this.#mistakes = mistakes;
  }

  override createCommand(name?: string): CommandLine {
    const command = new CommandLine(name, this.#mistakes);
    return command.hook('preAction', () => command.#refuse());
  }

  override addOption(option: Option): this {
    const { parseArg } = option;
    if (parseArg !== undefined) {
      option.argParser<unknown>((text: string | undefined, previous) => {
        // That its value is missing has been noted.
        if (text === undefined) return previous;
        try {
          return parseArg.call(option, text, previous);
        } catch (thrown) {
          if (!(thrown instanceof InvalidArgumentError)) throw thrown;
          this.#mistakes.push(`error: option '${option.flags}': ${thrown.message} (not '${text}')`);
          return previous;
        }
      });
    }
    return super.addOption(option);
  }

  override parseOptions(args: string[]): { operands: string[]; unknown: string[] } {
    const parsed = super.parseOptions(args);
    this.#unknown = parsed.unknown;
    return parsed;
  }

  /** Commander names the first only. */
  unknownOption(): void {
    const end = this.#unknown.indexOf('--');
    const before = end === -1 ? this.#unknown : this.#unknown.slice(0, end);
    for (const flag of before.filter((one) => one.startsWith('-'))) unknownOption.call(this, flag);
  }

  override error(message: string, options?: { exitCode?: number; code?: string }): never {
    // Only a command that goes on to its action comes to say what was noted.
    const alone = this.parent === null || !SAID_TOGETHER.has(options?.code ?? '');
    if (alone) return super.error(message, options);
    // Commander counts options that it does not know as arguments, and what follows them too.
    const follows = options?.code === 'commander.excessArguments' && this.#unknown.length > 0;
    if (!follows) this.#mistakes.push(message);
    return undefined as never;
  }

  #refuse(): void {
    const count = this.#mistakes.length;
    if (count === 0) return;
    const lines = count === 1 ? this.#mistakes : [...this.#mistakes, `${count} errors`];
    process.stderr.write(`${lines.join('\n')}\n`);
    throw new CommanderError(1, 'commander.mistakes', 'the command line is wrong');
  }
}

/** Not in commander's types. */
const unknownOption: (this: Command, flag: string) => void = Reflect.get(
  Command.prototype,
  'unknownOption',
);

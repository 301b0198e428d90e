import { type Argument, Command as Commander, CommanderError } from 'commander'
import type { Command, CommandSpec } from './command.js'
import { described, flagOf, type SettingName, settingNames } from './config/names.js'
import { type Outcome, usage } from './outcome.js'
import { specs } from './specs.js'

const exits = `
Exit codes: 0 done, 1 refused, 2 usage, 3 outcome unknown (it may have been done).
Settings come from rxraft.config.json, then RXRAFT_* (RXRAFT_PORT_BASE is --port-base), then flags.`

/**
 * The command that the command line names; null if it only asked for help, which was printed. `begins` is called with
 * the command before it runs.
 */
export const run = async (argv: ReadonlyArray<string>, version: string, begins: (spec: CommandSpec) => void): Promise<Outcome | null> => {
  let outcome: Outcome | null = null
  const program = new Commander('rxraft')
    .description('A replicated key/value store on Raft: servers, and a client for them.')
    .version(version, '-v, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void process.stdout.write(text),
      writeErr: (text) => void process.stderr.write(text),
      outputError: () => undefined,
    })
    .configureHelp({ subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(termOf)].join(' ') })
    .addHelpText('after', exits)
  for (const spec of specs) {
    add(program, spec).action(async (...args: ReadonlyArray<unknown>) => {
      begins(spec)
      outcome = await call(spec, args)
    })
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return outcome
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? null : misunderstood(error, argv[0])
  }
}

/** Help that was not asked for stands in for a command that was not given. */
const misunderstood = ({ code, message }: CommanderError, first: string | undefined): Outcome => {
  if (code === 'commander.help') return usage('Usage', 'Say which command.')
  const command = specs.some((spec) => spec.usage.split(' ')[0] === first) ? `${first ?? ''} ` : ''
  const mistake = message.replace(/^error: |\.$/g, '').replace(/\s+/g, ' ')
  return usage('Usage', `${mistake}; see \`rxraft ${command}--help\``)
}

const termOf = (argument: Argument): string => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`)

const add = (program: Commander, { usage, summary, notes, examples, settings, options }: CommandSpec): Commander => {
  const command = program
    .command(usage)
    .summary(summary)
    .description([`${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`, ...notes].join('\n'))
  for (const [flags, help] of options) command.option(flags, help)
  for (const name of settings) command.option(`${flagOf(name)} <${described[name].value}>`, described[name].help)
  return command
    .option('--config <FILE>', 'settings (default: rxraft.config.json, where there is one)')
    .option('--json', 'one line of JSON, last, on stdout; everything else on stderr')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`)
}

/** Commander hands over the arguments, then the options, then itself. */
const call = async (spec: CommandSpec, parsed: ReadonlyArray<unknown>): Promise<Outcome> => {
  const args = parsed.slice(0, -2).filter((arg): arg is string => typeof arg === 'string')
  const options = parsed.at(-2) as Readonly<Record<string, string | true | undefined>>
  const { processIo } = await import('./io.js')
  const { settingsFor } = await import('./config/load.js')
  const io = processIo()
  const settings = settingsFor({ file: textOf(options['config']), env: io.env, flags: flagsIn(options) })
  if (settings._tag === 'Left') return usage('Configuration', settings.left.join('\n'))
  const command: Command = await spec.load()
  return command({ args, options, settings: settings.right, json: options['json'] === true, io })
}

const textOf = (option: string | true | undefined): string | undefined => (typeof option === 'string' ? option : undefined)

const flagsIn = (options: Readonly<Record<string, string | true | undefined>>): Partial<Record<SettingName, string>> =>
  Object.fromEntries(settingNames.flatMap((name) => (typeof options[name] === 'string' ? [[name, options[name]]] : [])))

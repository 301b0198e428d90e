import { either, function as F } from 'fp-ts'
import * as t from 'io-ts'
import { flagOf, type SettingName, settingNames, variableOf } from './names.js'
import { codecs, fromText, type Settings } from './settings.js'

/** Texts by the name of the setting, as environment and flags give them. */
export type Texts = Partial<Record<SettingName, string>>

export interface Sources {
  /** The file's name and what it holds; null where there is none. */
  readonly file: { readonly name: string; readonly text: string } | null
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: Texts
}

/**
 * The layers over each other: the file, then the environment, then flags. Left: every mistake, as a sentence with its
 * place.
 */
export const configOf = ({ file, env, flags }: Sources): either.Either<ReadonlyArray<string>, Settings> => {
  const layers = [
    file === null ? either.right({}) : fromFile(file.name, file.text),
    fromTexts(variablesIn(env), variableOf),
    fromTexts(flags, flagOf),
  ]
  const mistakes = layers.flatMap((layer) => (either.isLeft(layer) ? layer.left : []))
  return mistakes.length > 0
    ? either.left(mistakes)
    : either.right(layers.reduce<Settings>((all, layer) => ({ ...all, ...valueOf(layer) }), {}))
}

type Layer = either.Either<ReadonlyArray<string>, Settings>

const valueOf = (layer: Layer): Settings => (either.isRight(layer) ? layer.right : {})

/** An empty variable is one that is not set. */
const variablesIn = (env: Sources['env']): Texts =>
  Object.fromEntries(settingNames.flatMap((name) => (env[variableOf(name)] ? [[name, env[variableOf(name)]]] : [])))

const fromTexts = (texts: Texts, placeOf: (name: SettingName) => string): Layer =>
  decodeAll(
    settingNames.flatMap((name) => {
      const text = texts[name]
      return text === undefined ? [] : [{ name, place: placeOf(name), value: fromText(name, text) }]
    }),
  )

const fromFile = (file: string, text: string): Layer => {
  const json = either.tryCatch(
    () => JSON.parse(text) as unknown,
    (error) => [`${file} is no JSON: ${(error as SyntaxError).message}`],
  )
  if (either.isLeft(json)) return json
  if (!t.UnknownRecord.is(json.right) || Array.isArray(json.right))
    return either.left([`${file} holds ${shown(json.right)}, not an object of settings`])
  const given = Object.entries(json.right)
  const strange = given
    .filter(([name]) => !(name in codecs))
    .map(([name]) => `${file}: ${name} is no setting; there are ${settingNames.join(', ')}`)
  const decoded = decodeAll(
    given.filter(([name]) => name in codecs).map(([name, value]) => ({ name: name as SettingName, place: `${file}: ${name}`, value })),
  )
  return strange.length === 0 ? decoded : either.left([...strange, ...(either.isLeft(decoded) ? decoded.left : [])])
}

interface Given {
  readonly name: SettingName
  readonly place: string
  readonly value: unknown
}

const decodeAll = (given: ReadonlyArray<Given>): Layer => {
  const decoded = given.map(({ name, place, value }) =>
    F.pipe(
      (codecs[name] as t.Type<unknown, unknown>).decode(value),
      either.bimap(
        (errors) => errors.map((error) => sentence(place, error)),
        (right) => [name, right] as const,
      ),
    ),
  )
  const mistakes = decoded.flatMap((one) => (either.isLeft(one) ? one.left : []))
  return mistakes.length > 0
    ? either.left(mistakes)
    : either.right(Object.fromEntries(decoded.flatMap((one) => (either.isRight(one) ? [one.right] : []))) as Settings)
}

/** `rxraft.config.json: peers/1 is "n2", not NAME=HOST:PEER-PORT/HTTP-PORT`. */
const sentence = (place: string, { value, context }: t.ValidationError): string => {
  const path = context.slice(1).map(({ key }) => key)
  const expected = context[context.length - 1]?.type.name ?? 'a setting'
  return `${[place, ...path].join('/')} is ${shown(value)}, not ${expected}`
}

const shown = (value: unknown): string => {
  const json = value === undefined ? 'missing' : JSON.stringify(value)
  return json.length <= 60 ? json : `${json.slice(0, 59)}…`
}

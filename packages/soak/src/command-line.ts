import { parseArgs } from 'node:util'
import { allMechanisms, type Mechanisms } from '../../core/dist/esm/coherence/index.js'
import { stages, type StageName } from './stages.js'
import { subjects, type SubjectName } from './subjects/index.js'

type MechanismName = keyof Mechanisms

const mechanismNames = Object.keys(allMechanisms)

export interface Wishes {
  readonly subject: SubjectName
  readonly stages: readonly StageName[]
  /** On each of the stages. */
  readonly seconds: number
  readonly seed: number
  readonly hasFaults: boolean
  /** In each process. */
  readonly callers: number
  readonly without: readonly MechanismName[]
  readonly help: boolean
}

export const help = `npm run soak -- [options]

Four processes use one cache in every way while Redis and the network fail, and what they are given is held against what was promised.
The exit code is 1 when a promise was broken.

  --seconds <n>    how long in all, divided among the stages; default 60
  --on <name>      only there: ${Object.keys(stages).join(' or ')}; default both
  --cache <name>   another cache, for comparison: ${Object.keys(subjects).join(', ')}; default tiercel. Others have standalone only
  --calm           nothing fails
  --callers <n>    at a time in each process; default 12. Fewer leave a busy machine some time for recovering
  --without <name> leaves a mechanism of Tiercel out, to see that the soak finds out; may be given more than once:
                   ${mechanismNames.join(', ')}
  --seed <n>       the same faults and calls in the same order as another time, as far as time allows
  --help           print this
`

/** @throws TypeError for what is no option. */
export function wishesOf(args: readonly string[]): Wishes {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '60' },
      on: { type: 'string' },
      cache: { type: 'string', default: 'tiercel' },
      callers: { type: 'string', default: '12' },
      calm: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 999_999)) },
      without: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  })
  const subject = named(subjects, values.cache)
  const wanted: readonly StageName[] = values.on !== undefined ? [named(stages, values.on)] : subject === 'tiercel' ? ['standalone', 'cluster'] : ['standalone']
  return { subject, stages: wanted, seconds: positive(values.seconds) / wanted.length, seed: positive(values.seed), hasFaults: !values.calm, callers: Math.ceil(positive(values.callers)), without: values.without.map((name) => named(allMechanisms, name)), help: values.help }
}

function named<Name extends string>(all: Readonly<Record<Name, unknown>>, name: string): Name {
  if (!Object.hasOwn(all, name)) throw new TypeError(`There is no '${name}'. There are: ${Object.keys(all).join(', ')}`)
  return name as Name
}

function positive(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new TypeError(`'${text}' is no positive number`)
  return number
}

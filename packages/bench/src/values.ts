/** What is cached in the benchmarks. `id` is read after every operation, so that no read can be skipped or be of another value. */
export interface Sample {
  readonly id: number
}

interface Account extends Sample {
  readonly name: string
  readonly email: string
  readonly team: string
  readonly roles: readonly string[]
  readonly active: boolean
  readonly balance: number
  readonly joined: string
}

interface Order {
  readonly number: string
  readonly placed: string
  readonly article: string
  readonly quantity: number
  readonly price: number
  readonly shipped: boolean
  readonly address: { readonly street: string; readonly city: string; readonly postcode: string } | null
}

/** The shapes that are measured, by the length of their JSON. */
export interface Shape {
  readonly name: string
  make(id: number): Sample
}

/** About 170 bytes of JSON: a row of a table. */
export const small: Shape = { name: '170 bytes', make: account }
/** About 11 KB of JSON: a record with a page of what belongs to it. */
export const medium: Shape = { name: '11 KB', make: (id) => ({ ...account(id), orders: orders(id, 59) }) }
/** About 17 KB of JSON. */
export const large: Shape = { name: '17 KB', make: (id) => ({ ...account(id), orders: orders(id, 90) }) }

export function shapeNamed(name: string): Shape {
  const found = [small, medium, large].find((shape) => shape.name === name)
  if (found === undefined) throw new TypeError(`There is no shape '${name}'`)
  return found
}

const cities = ['Lyon', 'Porto', 'Utrecht', 'Gdansk', 'Leeds', 'Turin', 'Bergen', 'Malmo']
const articles = ['desk lamp', 'folding chair', 'tea kettle', 'wool blanket', 'bicycle bell']

function account(id: number): Account {
  return {
    id,
    name: `Person ${id}`,
    email: `person.${id}@example.com`,
    team: `support, desk ${id % 20}`,
    roles: id % 3 === 0 ? ['reader', 'editor'] : ['reader'],
    active: id % 7 !== 0,
    balance: (id * 37) % 10_000 / 100,
    joined: `20${10 + (id % 15)}-0${1 + (id % 9)}-17T09:30:00.000Z`,
  }
}

function orders(id: number, count: number): Order[] {
  return Array.from({ length: count }, (_, i) => ({
    number: `${id}-${1000 + i}`,
    placed: `2024-1${i % 3}-1${i % 10}T1${i % 10}:05:00.000Z`,
    article: articles[(id + i) % articles.length] as string,
    quantity: 1 + (i % 4),
    price: ((id + i) * 731) % 20_000 / 100,
    shipped: i % 5 !== 0,
    address: i % 9 === 0 ? null : { street: `${i + 1} Market Street`, city: cities[i % cities.length] as string, postcode: `${10_000 + i}` },
  }))
}

/** What two have said to each other in turn, in messages of this length. */
export function conversation(messages: number, length: number, sentence: string): { readonly role: string; readonly content: string }[] {
  const content = sentence.repeat(Math.ceil(length / sentence.length)).slice(0, length)
  return Array.from({ length: messages }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `${i}: ${content}` }))
}

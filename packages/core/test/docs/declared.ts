import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'vitest/node'
import { root } from './pages.js'

/** What an interface or a class of the sources declares for its users. */
export interface Member {
  readonly name: string
  /** As it is written, up to the body. */
  readonly signature: string
  /** The comment above it. */
  readonly comment: string
  /** Of an object type: what it is made of. */
  readonly members: readonly Member[]
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly id?: { readonly name: string }
  readonly declaration?: Node | null
  readonly body?: Node | readonly Node[] | null
  readonly key?: Node & { readonly name?: string }
  readonly kind?: string
  readonly value?: Node | null
  readonly typeAnnotation?: Node & { readonly typeAnnotation?: Node }
  readonly members?: readonly Node[]
}

/** The text of a file of a package's sources. */
export function source(file: string, of = 'core'): string {
  return readFileSync(join(root, 'packages', of, 'src', file), 'utf8')
}

/** The public members of what is called `name` in a file of a package's sources, each once. */
export function membersOf(file: string, name: string, of = 'core'): Member[] {
  const code = source(file, of)
  const statements = (parseAst(code, { lang: 'ts' }) as unknown as Node).body as readonly Node[]
  const declaration = statements.map((statement) => statement.declaration ?? statement).find(({ id }) => id?.name === name)
  if (!declaration) throw new Error(`${file} does not declare ${name}`)
  return read(code, (declaration.body as Node).body as readonly Node[])
}

function read(code: string, nodes: readonly Node[]): Member[] {
  const members = new Map<string, Member>()
  for (const node of nodes) {
    const { key } = node
    const comment = /\/\*\*(?:(?!\*\/)[^])*\*\/\s*$/.exec(code.slice(0, node.start))?.[0] ?? ''
    if (!key || key.type === 'PrivateIdentifier' || node.kind === 'constructor' || comment.includes('@internal')) continue
    const name = key.name ?? code.slice(key.start, key.end)
    const body = node.value?.body as Node | null | undefined
    const parts = node.typeAnnotation?.typeAnnotation?.members ?? []
    if (!members.has(name)) members.set(name, { name, signature: code.slice(node.start, body?.start ?? node.end).trim(), comment, members: read(code, parts) })
  }
  return [...members.values()]
}

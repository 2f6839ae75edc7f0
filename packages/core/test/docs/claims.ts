import { parseAst } from 'vitest/node'

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Calls of `checks.value` and `checks.code` (claim-checks.ts) in place of what stands before `// =>` and `// throws`. */
export function withClaimsChecked(code: string, page: string): string {
  const claims = [...code.matchAll(/\/\/ (=>|throws) +(.+)$/gm)]
  if (claims.length === 0) return code

  const statements = statementsOf(parseAst(code, { lang: 'ts' }))
  const edits = claims.flatMap((claim) => {
    const [, kind, said = ''] = claim
    const where = `${page}:${code.slice(0, claim.index).split('\n').length}`
    const statement = statements.find(({ end }) => end <= claim.index && /^[\s;]*$/.test(code.slice(end, claim.index)))
    if (!statement) throw new SyntaxError(`${where}: there is no statement just before this claim`)
    return kind === 'throws' ? throwing(code, statement, said.trim(), where) : giving(code, statement, said.trim(), where)
  })
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: replacement }) => text.slice(0, start) + replacement + text.slice(end), code)
}

function giving(code: string, statement: Statement, said: string, where: string): Edit {
  const partial = /,?\s*(\.\.\.|…)\s*\}$/
  const expected = `() => (${said.replace(partial, ' }')}), ${partial.test(said)}, '${where}'`
  const given = statement.given(code)
  return statement.declares
    ? { start: statement.end, end: statement.end, text: `; checks.value((${given}), ${expected})` }
    : { start: statement.start, end: statement.end, text: `checks.value(${given}, ${expected})` }
}

function throwing(code: string, statement: Statement, said: string, where: string): Edit {
  if (statement.declares || !/^TIERCEL_[A-Z_]+$/.test(said)) {
    throw new SyntaxError(`${where}: "// throws" stands behind an expression and is followed by an error's code alone`)
  }
  const { start, end } = statement
  return { start, end, text: `await checks.code(async () => { await (${statement.given(code)}) }, '${said}', '${where}')` }
}

interface Statement {
  readonly start: number
  readonly end: number
  /** Whether it introduces a name, so that it must stay a statement. */
  readonly declares: boolean
  /** The text of what the claim is about. */
  given(code: string): string
}

/** Expressions and single declarations at any depth. */
function statementsOf(node: unknown): Statement[] {
  if (Array.isArray(node)) return node.flatMap(statementsOf)
  if (typeof node !== 'object' || node === null) return []
  return [...claimable(node as Node), ...Object.values(node).flatMap(statementsOf)]
}

function claimable(node: Node): Statement[] {
  if (node.type === 'ExpressionStatement') {
    const { expression } = node as Node & { expression: Node & { callee?: Node; arguments?: Node[] } }
    return [
      {
        start: node.start,
        end: expression.end,
        declares: false,
        given: (code) => {
          // The claim behind a console.log is about what it prints.
          const logged = expression.callee && text(code, expression.callee) === 'console.log' ? expression.arguments : undefined
          return text(code, logged?.length === 1 && logged[0] ? logged[0] : expression)
        },
      },
    ]
  }
  if (node.type === 'VariableDeclaration') {
    const { declarations } = node as Node & { declarations: { id: Node & { typeAnnotation?: Node | null } }[] }
    const id = declarations.length === 1 ? declarations[0]?.id : undefined
    if (!id) return []
    const { start, end, typeAnnotation } = id
    return [{ start: node.start, end: node.end, declares: true, given: (code) => code.slice(start, typeAnnotation?.start ?? end) }]
  }
  return []
}

const text = (code: string, { start, end }: Node): string => code.slice(start, end)

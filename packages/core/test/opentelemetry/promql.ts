import { parser } from '@prometheus-io/lezer-promql'

/** What an expression asks Prometheus for. */
export interface Selector {
  /** The whole name, as a pattern. */
  readonly name: RegExp
  readonly labels: readonly string[]
}

/** The selectors of an expression, and the labels it groups by. What Grafana fills in is filled in. */
export function asked(expression: string): { readonly selectors: Selector[]; readonly groups: string[] } {
  const text = expression.replaceAll(/\$__(?:rate_interval|range)/g, '5m')
  const selectors: { name: string; labels: string[] }[] = []
  const groups: string[] = []
  parser.parse(text).iterate({
    enter({ name, from, to, type, node }) {
      const code = text.slice(from, to)
      if (type.isError) throw new Error(`No PromQL at ${from}: ${text}`)
      if (name === 'VectorSelector') selectors.push({ name: '', labels: [] })
      const selector = selectors.at(-1)
      if (name === 'Identifier' && selector) selector.name = code
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') groups.push(code)
      if (name === 'UnquotedLabelMatcher' && selector) {
        const [, label = '', value = ''] = /^(\w+)[=!~]+"(.*)"$/.exec(code) ?? []
        if (label === '__name__') selector.name = value
        else selector.labels.push(label)
      }
    },
  })
  return { selectors: selectors.map(({ name, labels }) => ({ name: new RegExp(`^(?:${name})$`), labels })), groups }
}

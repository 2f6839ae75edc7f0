import { field, isObject, textOf } from './json.js'

/** Tools in the order of their names: it is by their names that a model calls them. */
export function sortedByName(tools: unknown): unknown {
  return Array.isArray(tools) ? tools.toSorted((a, b) => compare(nameOf(a), nameOf(b))) : tools
}

function nameOf(tool: unknown): string {
  if (!isObject(tool)) return ''
  return textOf(tool.name) || textOf(field(tool.function, 'name')) || textOf(tool.type)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

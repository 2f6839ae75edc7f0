/** The canonical form of a text. */
export function canonicalString(text: string): string {
  // Lone surrogates all become one character in UTF-8, and with it several keys one.
  if (!text.isWellFormed()) return `u16'${Buffer.from(text, 'utf16le').toString('hex')}'`
  return text.includes("'") ? `'${text.replaceAll("'", "''")}'` : `'${text}'`
}

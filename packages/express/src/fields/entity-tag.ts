const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g
/** Whole fields are looked at once; longer ones are forged. */
const LONGEST_FIELD = 8192

/** Whether a list of entity tags, or `*`, has this one by weak comparison (RFC 9110, section 8.8.3.2). */
export function matchesAny(field: string, etag: string | undefined): boolean {
  if (field.trim() === '*') return true
  if (etag === undefined || field.length > LONGEST_FIELD) return false
  const opaque = opaqueOf(etag)
  for (const [, , tag] of field.matchAll(TAG)) if (tag === opaque) return true
  return false
}

/** Strong comparison: neither may be weak. */
export function isSameStrongly(one: string, etag: string | undefined): boolean {
  return one === etag && one.startsWith('"')
}

function opaqueOf(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}

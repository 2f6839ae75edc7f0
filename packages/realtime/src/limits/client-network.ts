import { isIPv4, isIPv6 } from 'node:net'

/** Who has an IPv6 address has at least all of its /64: in such a network addresses are free. An IPv4 address, written as one of IPv6 or not, is one client. */
export function clientNetwork(address: string | undefined): string {
  const [plain = ''] = (address ?? '').split('%')
  const embedded = /^::ffff:([\d.]+)$/i.exec(plain)?.[1]
  if (embedded !== undefined && isIPv4(embedded)) return embedded
  if (!isIPv6(plain)) return plain === '' ? 'unknown' : plain
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter(Boolean))
  const groups = plain.includes('::') ? [...head, ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0'), ...tail] : head
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

import { expect, it } from 'vitest'
import { ReplyScanner } from '../../src/testing/proxy/reply-scanner.js'

const replies = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-12\r\n',
  '$5\r\nhello\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n$1\r\na\r\n*2\r\n:1\r\n$3\r\n\r\n+\r\n',
  '_\r\n',
  '#t\r\n',
  ',3.25\r\n',
  '(12345678901234567890\r\n',
  '=7\r\ntxt:abc\r\n',
  '!3\r\nERR\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n+c\r\n',
  '|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n',
  '*2\r\n|1\r\n+hot\r\n#t\r\n:1\r\n:2\r\n',
  '|0\r\n+plain\r\n',
  '>2\r\n+message\r\n+hello\r\n',
]
const stream = Buffer.from(replies.join(''))
const expected = replies.map((_, index) => replies.slice(0, index + 1).join('').length)

it.each([1, 2, 3, 7, stream.length])('replies end where they end, in pieces of %d bytes', (size) => {
  const scanner = new ReplyScanner()
  const ends: number[] = []
  for (let from = 0; from < stream.length; from += size) {
    const chunk = stream.subarray(from, from + size)
    for (let at = 0; at < chunk.length; ) {
      const end = scanner.next(chunk, at)
      if (end < 0) break
      ends.push(from + end)
      expect(scanner.isAtStart).toBe(true)
      at = end
    }
  }
  expect(ends).toEqual(expected)
})

it('what is not Redis has no replies', () => {
  const scanner = new ReplyScanner()
  expect(scanner.next(Buffer.from('\u0016\u0003\u0001\r\n+OK\r\n'), 0)).toBe(-1)
  expect(scanner.next(Buffer.from('+OK\r\n'), 0)).toBe(-1)
  expect(scanner.isAtStart).toBe(false)
})

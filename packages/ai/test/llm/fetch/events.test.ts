import { describe, expect, it } from 'vitest'
import { EventCutter, parseEvents } from '../../../src/llm/fetch/events.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (parts: readonly Uint8Array[]) => parts.map((part) => Buffer.from(part).toString())

function cutAt(stream: Uint8Array, ...places: readonly number[]): Uint8Array[] {
  const cutter = new EventCutter(1000)
  const ends = [0, ...places, stream.length]
  return [...ends.slice(1).flatMap((end, i) => cutter.cut(stream.subarray(ends[i], end))), ...cutter.rest()]
}

describe('a stream of events', () => {
  it.each([
    ['data: é👩‍🚀\n\n', 'event: x\ndata: 1\ndata: 2\n\n', ': ping\n\n', 'data: [DONE]\n\n'],
    ['data: é\r\n\r\n', 'data: 2\r\n\r\n'],
    ['data: é\r\r', 'data: 2\r\r'],
    ['data: é\n\r\n', 'data: 2\r\n\n', 'data: 3'],
  ])('is cut where its events end, wherever its chunks do', (...events) => {
    const stream = bytes(events.join(''))
    for (let place = 0; place <= stream.length; place++) expect(text(cutAt(stream, place))).toEqual(events)
    for (let place = 1; place < stream.length; place++) expect(text(cutAt(stream, place - 1, place))).toEqual(events)
    expect(text(cutAt(stream, ...stream.keys()))).toEqual(events)
  })

  it('keeps bytes that are no text', () => {
    const stream = new Uint8Array([100, 97, 0xff, 0xfe, 10, 10, 0xc3])
    expect(Buffer.concat(cutAt(stream, 3))).toEqual(Buffer.from(stream))
  })

  it('holds no more of an event than it may', () => {
    const cutter = new EventCutter(10)
    expect(text(cutter.cut(bytes('data: 123456')))).toEqual(['data: 123456'])
    expect(text(cutter.cut(bytes('7\n\n')))).toEqual(['7\n\n'])
  })

  it('is understood as browsers do', () => {
    expect(parseEvents(': ping\n\nevent: a\ndata: 1\ndata:2\nid: 7\n\ndata\n\r\ndata: {"a":\ndata:1}\r\n\r\n')).toEqual([
      { event: 'a', data: '1\n2' },
      { event: undefined, data: '' },
      { event: undefined, data: '{"a":\n1}' },
    ])
  })
})

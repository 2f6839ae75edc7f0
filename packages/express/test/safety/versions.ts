import express5, { type Express } from 'express'
import express4 from 'express4'
import { describe } from 'vitest'

export type ExpressModule = typeof express5

const versions: readonly (readonly [name: string, express: ExpressModule])[] = [
  ['Express 4', express4],
  ['Express 5', express5],
]

export type { Express }

/** One suite for both versions: what is safe on one must be on the other. */
export function onBothVersions(define: (express: ExpressModule) => void): void {
  // oxlint-disable-next-line vitest/valid-describe-callback -- it defines the tests of its caller
  describe.each(versions)('%s', (_name, express) => define(express))
}

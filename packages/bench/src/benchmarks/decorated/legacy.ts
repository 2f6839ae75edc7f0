type LegacyDecorator = (target: object, property: string, descriptor: PropertyDescriptor) => unknown

/** Puts a legacy decorator on a method, as a compiler does under `experimentalDecorators`: the peers know no others. */
export function decorateLegacy(decorator: LegacyDecorator, target: object, property: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, property) as PropertyDescriptor
  Object.defineProperty(target, property, (decorator(target, property, descriptor) as PropertyDescriptor | undefined) ?? descriptor)
}

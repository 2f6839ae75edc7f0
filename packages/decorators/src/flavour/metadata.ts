/** `reflect-metadata`, as far as it is used: only if the application has loaded it. */
interface MetadataReflect {
  getOwnMetadataKeys?(target: object): unknown[]
  getOwnMetadata?(key: unknown, target: object, property?: string | symbol): unknown
  defineMetadata?(key: unknown, value: unknown, target: object): void
}

const reflect = (): MetadataReflect => Reflect as MetadataReflect

/** What decorators below ours have said about a method, frameworks look for at what is in its place. */
export function carryMetadata(from: object, to: object): void {
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } = reflect()
  if (getOwnMetadataKeys === undefined || getOwnMetadata === undefined || defineMetadata === undefined) return
  for (const key of getOwnMetadataKeys(from)) defineMetadata(key, getOwnMetadata(key, from), to)
}

/** The types of a method's parameters, where the compiler wrote them down (`emitDecoratorMetadata`): classes, and `Object` for what is none. */
export function parameterTypes(home: object, property: string | symbol): readonly unknown[] {
  const types = reflect().getOwnMetadata?.('design:paramtypes', home, property)
  return Array.isArray(types) ? types : []
}

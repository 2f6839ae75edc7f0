import type { ArgsOf, AsyncMethod, ClassOf, ResultOf } from './async-method.js'
import type { MethodContext } from './flavour/method.js'
import type { CachedOptions, CachePutOptions, InvalidatesOptions } from './options.js'

/** Refuses names that are no option: where a type is inferred, the compiler would let them pass. */
export type Known<O, All> = { [Name in keyof O]: Name extends keyof All ? unknown : { '@tiercel/decorators: there is no such option': Name } }

/** Nothing, or why a decorator with these options cannot be on this method. The compiler shows it. */
type Fits<M extends AsyncMethod, O, Wanted> = O extends Wanted
  ? O extends { returns?: () => ClassOf<infer Instance> }
    ? [ResultOf<M>] extends [Instance | readonly Instance[] | null | undefined]
      ? unknown
      : { '@tiercel/decorators: the result is no instance of what `returns` gives': Instance }
    : unknown
  : { '@tiercel/decorators: a function takes other parameters than the method gives. Write their types as the method has them': ArgsOf<M> }

/** A decorator for methods, under standard decorators and under `experimentalDecorators`. */
interface MethodDecoratorOf<O, Kind extends 'cached' | 'invalidates' | 'put'> {
  <M extends AsyncMethod>(method: M & Fits<M, O, WantedBy<M>[Kind]>, context: MethodContext): M
  <M extends AsyncMethod>(target: object, property: string | symbol, descriptor: TypedPropertyDescriptor<M> & { value?: M & Fits<M, O, WantedBy<M>[Kind]> }): void
}

interface WantedBy<M extends AsyncMethod> {
  cached: CachedOptions<ArgsOf<M>, ResultOf<M>>
  invalidates: InvalidatesOptions<ArgsOf<M>, ResultOf<M>>
  put: CachePutOptions<ArgsOf<M>, ResultOf<M>>
}

export type CachedDecorator<O> = MethodDecoratorOf<O, 'cached'>
export type InvalidatesDecorator<O> = MethodDecoratorOf<O, 'invalidates'>
export type CachePutDecorator<O> = MethodDecoratorOf<O, 'put'>

/** A decorator for classes whose instances are a `Self`, under both flavours. */
export interface CacheConfigDecorator<Self> {
  <C extends abstract new (...args: never[]) => Self>(decorated: C, context: { readonly kind: 'class' }): void
  <C extends abstract new (...args: never[]) => Self>(decorated: C): void
}

/** A decorator for parameters, which there are under `experimentalDecorators` only. */
export type CacheParameterDecorator = (target: object, property: string | symbol | undefined, index: number) => void

/**
 * Which codecs a generated decoder can check in place, without calling them.
 *
 * These are codecs that only say yes or no - the value is the same on both sides - and whose rule is one expression.
 * Everything else keeps its own `validate`.
 */
import type * as t from 'io-ts'

type AnyCodec = t.Type<unknown, unknown, unknown>

interface Tagged {
  readonly _tag?: string
  readonly type?: AnyCodec
  readonly types?: ReadonlyArray<AnyCodec>
  readonly value?: unknown
}

/**
 * The codec's rule as a JavaScript expression over the variable `v`; null where it has to be called.
 */
export const checkExpression = (codec: AnyCodec, v: string): string | null => {
  const tagged = codec as AnyCodec & Tagged
  switch (tagged._tag) {
    case 'StringType':
      return `typeof ${v} === 'string'`
    case 'NumberType':
      return `typeof ${v} === 'number'`
    case 'BooleanType':
      return `typeof ${v} === 'boolean'`
    case 'NullType':
      return `${v} === null`
    case 'IntegerType':
      return `Number.isSafeInteger(${v})`
    case 'LiteralType':
      return typeof tagged.value === 'string' || typeof tagged.value === 'number' || typeof tagged.value === 'boolean'
        ? `${v} === ${JSON.stringify(tagged.value)}`
        : null
    case 'NullableType':
      return tagged.type === undefined ? null : either([`${v} === null`, checkExpression(tagged.type, v)])
    case 'UnionType':
      return tagged.types === undefined ? null : either(tagged.types.map((type) => checkExpression(type, v)))
    default:
      return null
  }
}

/** Whether a codec gives what it reads, where it accepts it: a primitive, a literal, a brand, a choice of such. */
export const onlyChecks = (codec: AnyCodec): boolean => {
  const { _tag, type, types } = codec as AnyCodec & Tagged
  switch (_tag) {
    case 'RefinementType':
    case 'NullableType':
      return type !== undefined && onlyChecks(type)
    case 'UnionType':
      return types?.every(onlyChecks) === true
    case 'KeyofType':
      return true
    default:
      return checkExpression(codec, 'v') !== null
  }
}

const either = (expressions: ReadonlyArray<string | null>): string | null =>
  expressions.includes(null) ? null : `(${expressions.join(' || ')})`

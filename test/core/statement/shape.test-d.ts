/**
 * The nodes that a shape reads by hand rather than property by property. Where Kysely gives one of them another property,
 * the shape has to read it too.
 */
import type {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  IdentifierNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  SchemableIdentifierNode,
  SelectionNode,
  TableNode,
  TupleNode,
  ValueListNode,
  ValueNode,
  WhereNode,
} from 'kysely'
import { expectTypeOf, test } from 'vitest'

test('Kysely’s nodes have the properties that are read', () => {
  expectTypeOf<keyof AndNode>().toEqualTypeOf<'kind' | 'left' | 'right'>()
  expectTypeOf<keyof BinaryOperationNode>().toEqualTypeOf<'kind' | 'leftOperand' | 'operator' | 'rightOperand'>()
  expectTypeOf<keyof ColumnNode>().toEqualTypeOf<'kind' | 'column'>()
  expectTypeOf<keyof IdentifierNode>().toEqualTypeOf<'kind' | 'name'>()
  expectTypeOf<keyof OperatorNode>().toEqualTypeOf<'kind' | 'operator'>()
  expectTypeOf<keyof OrNode>().toEqualTypeOf<'kind' | 'left' | 'right'>()
  expectTypeOf<keyof ParensNode>().toEqualTypeOf<'kind' | 'node'>()
  expectTypeOf<keyof PrimitiveValueListNode>().toEqualTypeOf<'kind' | 'values'>()
  expectTypeOf<keyof ReferenceNode>().toEqualTypeOf<'kind' | 'column' | 'table'>()
  expectTypeOf<keyof SchemableIdentifierNode>().toEqualTypeOf<'kind' | 'schema' | 'identifier'>()
  expectTypeOf<keyof SelectionNode>().toEqualTypeOf<'kind' | 'selection'>()
  expectTypeOf<keyof TableNode>().toEqualTypeOf<'kind' | 'table'>()
  expectTypeOf<keyof TupleNode>().toEqualTypeOf<'kind' | 'values'>()
  expectTypeOf<keyof ValueListNode>().toEqualTypeOf<'kind' | 'values'>()
  expectTypeOf<keyof ValueNode>().toEqualTypeOf<'kind' | 'value' | 'immediate'>()
  expectTypeOf<keyof WhereNode>().toEqualTypeOf<'kind' | 'where'>()
})

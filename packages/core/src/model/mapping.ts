/**
 * The model as the machinery reads it: attributes by position, keys, relationships with both ends resolved.
 *
 * A mapping is made once, by `defineModel`, from an entity and its relationships. Types stay with the entity; a mapping
 * speaks of any of them alike.
 */
import type { OperationNode } from 'kysely'
import type { AnyCollectionKind } from './collection.js'
import type { AnyColumn } from './column.js'
import type { Constraints } from './constraint.js'
import type { RowValidator, SubtypeLoad } from './entity.js'
import type { Behaviour, Cascade, Link, OrderDirection, Relationship } from './relationship.js'

/**
 * @category model
 */
export interface Attribute {
  /** Its name in the program. */
  readonly name: string
  /** Its name in the table. */
  readonly columnName: string
  readonly column: AnyColumn
  /** Its place among the mapping's attributes. */
  readonly position: number
  readonly isKey: boolean
  readonly isGenerated: boolean
  /** Of a key of several columns some may be, as the view of an outer join has them. */
  readonly isNullable: boolean
  /** Does an insert that leaves it out store NULL? */
  readonly isNullByDefault: boolean
  /** Loaded only when it is asked for. */
  readonly isDeferred: boolean
  /** Does a table hold it, rather than an expression compute it? */
  readonly isStored: boolean
  /** To the portable database side; `t.identity` where the two sides are the same. */
  readonly encode: (value: unknown) => unknown
}

/**
 * A relationship with both ends resolved. `foreignKey` are attributes of the side that holds the key, `key` those of the
 * side that it refers to, in the same order. Over a table of links, and where it is only joined, `foreignKey` is empty, and
 * `key` is the owner's.
 *
 * @category model
 */
export interface RelationshipMapping extends Omit<Behaviour, 'cascade' | 'on' | 'orderBy'> {
  readonly kind: Relationship['_tag']
  readonly name: string
  /** Its place among the owner's relationships. */
  readonly position: number
  readonly owner: Mapping
  readonly target: Mapping
  readonly foreignKey: ReadonlyArray<Attribute>
  readonly key: ReadonlyArray<Attribute>
  /** Is `key` the primary key, by which the identity map knows instances? */
  readonly isByIdentity: boolean
  readonly through: Link | null
  /** What else, or only, must be so of the sides, `owner` and `target`, and what lies between. */
  readonly on: OperationNode | null
  /** Entities that the condition goes through, each by its name there. */
  readonly between: ReadonlyArray<readonly [name: string, mapping: Mapping]>
  /** What tells of an owner which targets are its own. */
  readonly ownerAttributes: ReadonlyArray<Attribute>
  /** Entities beside the target whose instances it takes. */
  readonly accepts: ReadonlyArray<Mapping>
  /** Does it hold many, or one at most? */
  readonly isCollection: boolean
  /** As what a collection is shown; of a reference a list, which nobody sees. */
  readonly collection: AnyCollectionKind
  readonly inverse: RelationshipMapping | null
  readonly cascade: ReadonlySet<Cascade>
  readonly orderBy: ReadonlyArray<readonly [attribute: Attribute, direction: OrderDirection]>
}

/**
 * @category model
 */
export interface Mapping {
  readonly _tag: 'Mapping'
  readonly name: string
  readonly table: string
  /** Its place among the model's mappings. */
  readonly index: number
  readonly attributes: ReadonlyArray<Attribute>
  readonly attributeOf: ReadonlyMap<string, Attribute>
  /** Attributes by other names that they have. */
  readonly synonyms: ReadonlyMap<string, Attribute>
  /** Attributes that the database computes for each row that is read; no table holds them. */
  readonly expressions: ReadonlyArray<Attribute>
  /** All mappings of its model, of which expressions may speak. */
  readonly model: ReadonlyArray<Mapping>
  /** The primary key's attributes, at least one. */
  readonly key: ReadonlyArray<Attribute>
  /** Lists of attributes whose values, taken together, no two rows share; the primary key is not among them. */
  readonly uniqueKeys: ReadonlyArray<ReadonlyArray<Attribute>>
  /** What the entity says of its table as a whole; a subtype says it of the table that holds its own attributes. */
  readonly constraints: Constraints
  /** The attribute that the database gives on insert, where there is one. */
  readonly generatedKey: Attribute | null
  /** The attribute that tells the versions of a row apart, where there is one. */
  readonly version: Attribute | null
  /** Has any attribute a default that drafts get? */
  readonly hasDefaults: boolean
  /** Attributes that an insert fills by itself. */
  readonly insertDefaults: ReadonlyArray<Attribute>
  /** Attributes that an update sets by itself. */
  readonly updateDefaults: ReadonlyArray<Attribute>
  /** Attributes that the database computes for an insert that leaves them out, and for an update that leaves them alone. */
  readonly insertExpressions: ReadonlyArray<Attribute>
  readonly updateExpressions: ReadonlyArray<Attribute>
  /** Attributes that a flush draws from generators. */
  readonly drawn: ReadonlyArray<Attribute>
  /** What the table gives a row that leaves it out, or the INSERT computes: the generated key first, then all others that a row is loaded with. */
  readonly givenOnInsert: ReadonlyArray<Attribute>
  /** The version, where the database gives a row another with every write; null where there is none, or it is counted. */
  readonly serverVersion: Attribute | null
  /** Attributes whose columns have rules. */
  readonly ruled: ReadonlyArray<Attribute>
  /** What looks at its rows as a whole: its parents' first. */
  readonly validators: ReadonlyArray<RowValidator>
  readonly relationships: ReadonlyArray<RelationshipMapping>
  readonly relationshipOf: ReadonlyMap<string, RelationshipMapping>
  /** The entity that it is a subtype of. Its attributes, key and relationships come first, and are the very same. */
  readonly parent: Mapping | null
  /** The entity that it is a concrete subtype of: they have attributes in common, and neither tables nor keys. */
  readonly concreteOf: Mapping | null
  /** The first of its line of parents, which gives all below it their identities: itself where it has no parent. */
  readonly root: Mapping
  /** Its own subtypes, in the model's order. */
  readonly subtypes: ReadonlyArray<Mapping>
  /** How queries of what it is a subtype of load what it adds; null where they do not. */
  readonly load: SubtypeLoad | null
  /** The attribute that tells the entities of a hierarchy apart; null where an entity stands alone. */
  readonly discriminator: Attribute | null
  /** Its own value of the discriminator; null where it is abstract, and where it stands alone. */
  readonly identity: unknown
  /** The tables that hold its rows, the root's first. */
  readonly parts: ReadonlyArray<TablePart>
}

/**
 * A table that holds some of the attributes of an entity's rows.
 *
 * @category model
 */
export interface TablePart {
  /** The first entity that has it. */
  readonly mapping: Mapping
  readonly table: string
  /** The columns that hold the key, in the key's order. */
  readonly key: ReadonlyArray<string>
  /** Its attributes, the root's with the key. Of single-table subtypes those of the entity's own line. */
  readonly attributes: ReadonlyArray<Attribute>
}

/** The attributes that are stored where tables rather than a column tell entities apart. */
export const withoutDiscriminator = ({ attributes, discriminator }: Mapping): ReadonlyArray<Attribute> =>
  attributes.filter((attribute) => attribute !== discriminator && attribute.isStored)

/**
 * Is an instance of the one an instance of the other: is it the entity itself, or a subtype of it?
 *
 * @category guards
 */
export const isKindOf = (self: Mapping, other: Mapping): boolean => {
  for (let at: Mapping | null = self; at !== null; at = at.parent ?? at.concreteOf) if (at === other) return true
  return false
}

/**
 * Does a relationship take instances of an entity?
 *
 * @category guards
 */
export const takes = ({ accepts, target }: RelationshipMapping, mapping: Mapping): boolean =>
  isKindOf(mapping, target) || accepts.some((accepted) => isKindOf(mapping, accepted))

/**
 * The nearest entity that all instances are that a relationship takes.
 *
 * @category combinators
 */
export const commonTarget = ({ accepts, target }: RelationshipMapping): Mapping => {
  let common = target
  while (common.parent !== null && !accepts.every((accepted) => isKindOf(accepted, common))) common = common.parent
  return common
}

/**
 * Is it only joined, by a condition, so that nothing writes it?
 *
 * @category guards
 */
export const isOnlyJoined = ({ kind }: RelationshipMapping): boolean => kind === 'JoinsMany' || kind === 'JoinsOne'

/**
 * May several rows be targets of one owner: all of them, or to choose one from?
 *
 * @category guards
 */
export const mayHaveSeveral = ({ isCollection, kind }: RelationshipMapping): boolean =>
  isCollection || kind === 'JoinsOne'

/**
 * An entity and all that are subtypes of it, each before its own subtypes.
 *
 * @category combinators
 */
export const withDescendants = (self: Mapping): ReadonlyArray<Mapping> =>
  self.subtypes.length === 0 ? [self] : [self, ...self.subtypes.flatMap(withDescendants)]

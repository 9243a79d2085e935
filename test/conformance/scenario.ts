/**
 * The format of the corpus, as types: what README.md explains in words.
 */

export type Plain = string | number | boolean | null

export interface ColumnDescription {
  readonly type: 'integer' | 'text' | 'real' | 'boolean'
  readonly primaryKey?: boolean
  readonly generated?: boolean
  readonly nullable?: boolean
  readonly unique?: boolean
  readonly default?: Plain
  readonly serverDefault?: Plain
  readonly onUpdate?: Plain
  readonly deferred?: boolean
  readonly version?: boolean
  readonly foreignKey?: {
    readonly table: string
    readonly column: string
    readonly onDelete?: string
    readonly onUpdate?: string
    readonly deferred?: boolean
  }
}

export type Where = readonly [operator: string, ...operands: ReadonlyArray<unknown>]

export interface RelationshipDescription {
  readonly kind: 'oneToMany' | 'manyToOne' | 'oneToOne' | 'manyToMany'
  readonly target: string
  readonly foreignKey?: ReadonlyArray<string>
  readonly secondary?: {
    readonly table: string
    readonly own: ReadonlyArray<string>
    readonly target: ReadonlyArray<string>
  }
  readonly backPopulates?: string
  readonly cascade?: ReadonlyArray<string>
  readonly passiveDeletes?: true | 'all'
  readonly passiveUpdates?: false
  readonly orderBy?: ReadonlyArray<string>
  readonly viewonly?: boolean
  readonly filter?: Where
  readonly singleParent?: boolean
  readonly postUpdate?: boolean
  readonly collection?: 'list' | 'set' | { readonly keyedBy: string }
  readonly lazy?: 'select' | 'selectin' | 'joined' | 'raise'
}

export interface EntityDescription {
  readonly table?: string
  readonly columns: Readonly<Record<string, ColumnDescription>>
  readonly relationships?: Readonly<Record<string, RelationshipDescription>>
  readonly inherits?: string
  readonly identity?: Plain
  readonly discriminator?: string
  readonly withPolymorphic?: string
}

export interface ModelDescription {
  readonly entities: Readonly<Record<string, EntityDescription>>
  readonly tables?: Readonly<Record<string, { readonly columns: Readonly<Record<string, ColumnDescription>> }>>
  readonly ddl: ReadonlyArray<string>
}

/** A row as the database has it, by column names. */
export type TableRow = Readonly<Record<string, Plain>>
export type Tables = Readonly<Record<string, ReadonlyArray<TableRow>>>

export type Write =
  | readonly [kind: 'insert' | 'delete', table: string, values: TableRow]
  | readonly [kind: 'update', table: string, set: TableRow, where: TableRow]

/** What an object held, by attribute: values of columns, names of objects. */
export type Memory = Readonly<Record<string, unknown>>

export interface Expectation {
  readonly ok: boolean
  readonly error?: { readonly type: string; readonly detail?: string; readonly sqlalchemy?: string }
  readonly value?: unknown
  readonly states?: Readonly<Record<string, string>>
  readonly new?: ReadonlyArray<string>
  readonly deleted?: ReadonlyArray<string>
  readonly changed?: ReadonlyArray<string>
  readonly changedScalar?: ReadonlyArray<string>
  readonly mem?: Readonly<Record<string, Memory>>
  readonly sql?: Readonly<Record<string, number>>
  readonly writes?: ReadonlyArray<Write>
  readonly loads?: Readonly<Record<string, ReadonlyArray<string>>>
}

/** Every field that some kind of step has; which ones are there follows from `do`. */
export interface Step {
  readonly do: string
  readonly session?: string
  readonly autoflush?: boolean
  readonly expect: Expectation
  readonly entity?: string
  readonly as?: string
  readonly name?: string
  readonly values?: Readonly<Record<string, unknown>>
  readonly obj?: string
  readonly objs?: ReadonlyArray<string>
  readonly attr?: string
  readonly attrs?: ReadonlyArray<string>
  readonly value?: unknown
  readonly index?: number
  readonly key?: unknown
  readonly pk?: Plain | ReadonlyArray<Plain>
  readonly one?: boolean
  readonly populateExisting?: boolean
  readonly where?: Where
  readonly orderBy?: ReadonlyArray<string>
  readonly limit?: number
  readonly offset?: number
  readonly mode?: 'all' | 'first' | 'one' | 'oneOrNone'
  readonly options?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly withPolymorphic?: unknown
  readonly load?: boolean
  readonly sync?: 'evaluate' | 'fetch' | 'none' | 'auto'
  readonly sql?: ReadonlyArray<string>
  readonly shard?: string
  readonly token?: string
}

export interface ScenarioOptions {
  readonly autoflush?: boolean
  readonly expireOnCommit?: boolean
  readonly store?: 'file'
  readonly sharding?: ShardingDescription
}

/** Shards, and where rows go: by the value of a column, or to what they refer to. */
export interface ShardingDescription {
  readonly shards: ReadonlyArray<string>
  readonly shardChooser: Readonly<
    Record<
      string,
      { readonly column: string; readonly map: Readonly<Record<string, string>> } | { readonly via: string }
    >
  >
}

export interface Scenario {
  readonly name: string
  readonly area: string
  readonly about: string
  readonly model: string
  readonly session: ScenarioOptions
  /** Those of each shard under its token, where there are several. */
  readonly rows: Tables
  readonly steps: ReadonlyArray<Step>
  /** As `rows`. */
  readonly final: { readonly rows: Tables }
}

export interface CorpusFile {
  readonly format: 1
  readonly area: string
  readonly models: Readonly<Record<string, ModelDescription>>
  readonly scenarios: ReadonlyArray<Scenario>
}

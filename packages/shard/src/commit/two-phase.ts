/**
 * The protocol of a commit over several shards, as a pure machine: what has been answered so far, and what to ask next.
 *
 * All writing shards but one are prepared, one after another in a fixed order; the last one's own transaction then takes the
 * decision in, as a record under the transaction's name, and is committed with it. From then on the transaction is
 * committed, and the others are told so. Until then it is not, and whoever finds no record may forbid it (presumed abort):
 * a tombstone under the same name, with which the record would clash.
 *
 * That the last participant decides saves a round trip and a store for decisions, and lets one database take part that
 * cannot prepare; see "metadata manager" in Vitess' design of atomic distributed transactions.
 */

/** Who takes part in a commit, and how. Shards are named by their tokens, in the order in which they are asked. */
export interface CommitPlan {
  /** Only read from: committed first, never prepared. */
  readonly reads: ReadonlyArray<string>
  /** Only read from, and what was read is locked: committed last, so that it holds as long as the decision is open. */
  readonly holds: ReadonlyArray<string>
  readonly prepares: ReadonlyArray<string>
  readonly decider: string
  /** Is the decision written down? Needless where there is one writing shard, and it need not be looked up. */
  readonly isRecorded: boolean
}

/** What a shard is asked. */
export type Action =
  /** To commit what was only read. */
  | { readonly _tag: 'Commit'; readonly shard: string }
  | { readonly _tag: 'Prepare'; readonly shard: string }
  /** To write the record and commit. */
  | { readonly _tag: 'Decide'; readonly shard: string }
  /** After a lost answer: to look the record up, and to forbid it where it is absent. */
  | { readonly _tag: 'Settle'; readonly shard: string }
  | { readonly _tag: 'Finish'; readonly shard: string }
  /** To undo what it has prepared, or may have. */
  | { readonly _tag: 'Undo'; readonly shard: string }

/** What it answers. */
export type Answer<E> =
  | { readonly _tag: 'Done'; readonly shard: string }
  /** `isLost`: it may have been done all the same. */
  | { readonly _tag: 'Failed'; readonly shard: string; readonly error: E; readonly isLost: boolean }
  | { readonly _tag: 'Settled'; readonly shard: string; readonly isCommitted: boolean }

/** What has come of a commit. */
export type Outcome<E> =
  /** `pending`: those that could not be told. */
  | { readonly _tag: 'Committed'; readonly pending: ReadonlyArray<string> }
  | { readonly _tag: 'RolledBack'; readonly shard: string; readonly at: Action['_tag']; readonly error: E }
  | { readonly _tag: 'Unknown'; readonly shard: string; readonly error: E }

/** How far a commit has come. */
export type State<E> =
  | { readonly _tag: 'Reading'; readonly left: ReadonlyArray<string> }
  | { readonly _tag: 'Preparing'; readonly done: ReadonlyArray<string>; readonly left: ReadonlyArray<string> }
  | { readonly _tag: 'Deciding' }
  | { readonly _tag: 'Settling'; readonly error: E }
  | { readonly _tag: 'Finishing'; readonly waiting: number; readonly pending: ReadonlyArray<string> }
  | { readonly _tag: 'Undoing'; readonly waiting: number; readonly outcome: Outcome<E> }
  | { readonly _tag: 'Ended'; readonly outcome: Outcome<E> }

/** A state, and what to ask next: several shards at once where it is about several. Ended where there is nothing. */
export interface Progress<E> {
  readonly state: State<E>
  readonly ask: ReadonlyArray<Action>
}

const ended = <E>(outcome: Outcome<E>): Progress<E> => ({ state: { _tag: 'Ended', outcome }, ask: [] })

/** The first step of a commit. */
export const start = <E>(plan: CommitPlan): Progress<E> => reading(plan, plan.reads)

const reading = <E>(plan: CommitPlan, left: ReadonlyArray<string>): Progress<E> => {
  const [shard] = left
  return shard === undefined
    ? preparing(plan, [], plan.prepares)
    : { state: { _tag: 'Reading', left }, ask: [{ _tag: 'Commit', shard }] }
}

const preparing = <E>(plan: CommitPlan, done: ReadonlyArray<string>, left: ReadonlyArray<string>): Progress<E> => {
  const [shard] = left
  return shard === undefined
    ? { state: { _tag: 'Deciding' }, ask: [{ _tag: 'Decide', shard: plan.decider }] }
    : { state: { _tag: 'Preparing', done, left }, ask: [{ _tag: 'Prepare', shard }] }
}

const finishing = <E>({ holds, prepares }: CommitPlan): Progress<E> => {
  const ask: ReadonlyArray<Action> = [
    ...prepares.map((shard): Action => ({ _tag: 'Finish', shard })),
    ...holds.map((shard): Action => ({ _tag: 'Commit', shard })),
  ]
  return ask.length === 0
    ? ended({ _tag: 'Committed', pending: [] })
    : { state: { _tag: 'Finishing', waiting: ask.length, pending: [] }, ask }
}

const undoing = <E>(prepared: ReadonlyArray<string>, outcome: Outcome<E>): Progress<E> =>
  prepared.length === 0
    ? ended(outcome)
    : {
        state: { _tag: 'Undoing', waiting: prepared.length, outcome },
        ask: prepared.map((shard) => ({ _tag: 'Undo', shard })),
      }

/**
 * The next step after an answer. What is undone here is what may be prepared; transactions that are still open are the
 * caller's to roll back.
 */
export const advance = <E>(plan: CommitPlan, state: State<E>, answer: Answer<E>): Progress<E> => {
  const { shard } = answer
  switch (state._tag) {
    case 'Reading':
      return answer._tag === 'Failed'
        ? ended({ _tag: 'RolledBack', shard, at: 'Commit', error: answer.error })
        : reading(plan, state.left.slice(1))
    case 'Preparing':
      return answer._tag === 'Failed'
        ? undoing(answer.isLost ? [...state.done, shard] : state.done, {
            _tag: 'RolledBack',
            shard,
            at: 'Prepare',
            error: answer.error,
          })
        : preparing(plan, [...state.done, shard], state.left.slice(1))
    case 'Deciding':
      if (answer._tag !== 'Failed') return finishing(plan)
      if (!answer.isLost)
        return undoing(plan.prepares, { _tag: 'RolledBack', shard, at: 'Decide', error: answer.error })
      return plan.isRecorded
        ? { state: { _tag: 'Settling', error: answer.error }, ask: [{ _tag: 'Settle', shard }] }
        : ended({ _tag: 'Unknown', shard, error: answer.error })
    case 'Settling':
      if (answer._tag === 'Settled') {
        return answer.isCommitted
          ? finishing(plan)
          : undoing(plan.prepares, { _tag: 'RolledBack', shard, at: 'Decide', error: state.error })
      }
      // whoever recovers finds out; nobody may guess
      return ended({ _tag: 'Unknown', shard, error: state.error })
    case 'Finishing': {
      const pending =
        answer._tag === 'Failed' && plan.prepares.includes(shard) ? [...state.pending, shard] : state.pending
      return state.waiting === 1
        ? ended({ _tag: 'Committed', pending })
        : { state: { ...state, waiting: state.waiting - 1, pending }, ask: [] }
    }
    case 'Undoing':
      return state.waiting === 1 ? ended(state.outcome) : { state: { ...state, waiting: state.waiting - 1 }, ask: [] }
    case 'Ended':
      return { state, ask: [] }
  }
}

/**
 * Where Unitary differs from the recording on purpose: the scenario, why that is allowed, and what happens instead.
 *
 * Each scenario is replayed like any other, and has to part from the recording at this step and in this way only; what
 * follows the step is not compared. differences.test.ts shows the behaviour behind each reason.
 */

/** Why a scenario may differ; the README says what each means. */
export type Reason =
  | 'explicit loads'
  | 'pure mutators'
  | 'outside objects stay outside'
  | 'rollback is the earlier value'
  | 'solvable is solved'
  | 'row switch only within one class'
  | 'shards merge'

export interface Difference {
  readonly reason: Reason
  readonly instead: string
  /** The step that differs, from 1. */
  readonly step: number
  /** What is there in place of what was recorded, and nothing else. */
  readonly ours: Readonly<Record<string, unknown>>
}

export const differences: Readonly<Record<string, Difference>> = {
  'backref/remove_absent': {
    reason: 'pure mutators',
    instead: 'a refused remove changes nothing, not even the other side',
    step: 3,
    ours: { changed: [], changedScalar: [] },
  },
  'savepoint/outer_while_inner_open': {
    reason: 'rollback is the earlier value',
    instead: 'rolling back the outer savepoint undoes what was inserted in the inner one, too',
    step: 8,
    ours: { 'state of b': 'transient' },
  },
  'sharding/query_limit': {
    reason: 'shards merge',
    instead: 'the one row is the first of all shards, and the others are not loaded',
    step: 1,
    ours: {
      'state of Location:2@north_america': 'not met',
      'state of Location:4@europe': 'not met',
      'state of Location:6@south_america': 'not met',
    },
  },
  'sharding/savepoint': {
    reason: 'rollback is the earlier value',
    instead: 'rolling back a savepoint undoes what was flushed in it on every shard',
    step: 8,
    ours: { value: 'Toronto', 'Location:3@north_america.city': 'Toronto' },
  },
  'random/weather/351': {
    reason: 'shards merge',
    instead: 'the limit leaves out what another shard has found',
    step: 13,
    ours: { 'state of Location:4@south_america': 'not met' },
  },
  'random/weather/477': {
    reason: 'shards merge',
    instead: 'the limit leaves out what other shards have found',
    step: 31,
    ours: { 'state of Location:6@europe': 'not met', 'state of Location:7@south_america': 'not met' },
  },
  'random/weather/519': {
    reason: 'shards merge',
    instead: 'the limit leaves out what another shard has found, and what it would load',
    step: 15,
    ours: { 'state of Location:4@south_america': 'not met', 'state of Report:1@south_america': 'not met' },
  },
  'states/rollback_flushed': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the flush gave is gone with the flush',
    step: 6,
    ours: { value: null },
  },
  'uow/tree_invert': {
    reason: 'solvable is solved',
    instead: 'parent and child exchange places: each row is updated, in either order',
    step: 4,
    ours: { error: null },
  },
  'uow/tree_self_parent_post': {
    reason: 'solvable is solved',
    instead: 'the row is inserted, then refers to itself by an update of its own',
    step: 4,
    ours: { error: null, 'state of a': 'persistent' },
  },
  'uow/row_switch_nothing': {
    reason: 'row switch only within one class',
    instead: 'the row has the values already, so nothing is written',
    step: 5,
    ours: { writes: [] },
  },
  'uow/pk_swap': {
    reason: 'solvable is solved',
    instead: 'rows exchange their keys by way of a temporary one',
    step: 5,
    ours: { error: null },
  },
  'random/ua/84': {
    reason: 'rollback is the earlier value',
    instead: 'a transient instance is what it was when the transaction began',
    step: 25,
    ours: { 'user1.name': 'b' },
  },
  'random/ua/294': {
    reason: 'pure mutators',
    instead: 'the other side is in step before the cascade, which follows the new reference and not the old one',
    step: 19,
    ours: { 'state of user1': 'detached' },
  },
  'random/ua/315': {
    reason: 'rollback is the earlier value',
    instead: 'a transient instance is what it was when the transaction began',
    step: 29,
    ours: { 'user1.name': 'd' },
  },
  'random/ua/525': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so another is given',
    step: 19,
    ours: { writes: ['["insert","addresses",{"email":"e","user_id":1}]'] },
  },
  'random/m2m/212': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged inside the savepoint belongs to the session again',
    step: 24,
    ours: { 'state of Item:1': 'persistent' },
  },
  'random/tree_all/3': {
    reason: 'explicit loads',
    instead:
      'an eager load that a refresh repeats there has not loaded the reference here, so the child belongs where its foreign key says',
    step: 10,
    ours: { changed: ['Node:2', 'node1'], changedScalar: ['Node:2'], 'Node:2.parent': null },
  },
  'random/tree_all/507': {
    reason: 'rollback is the earlier value',
    instead: 'a transient instance is what it was when the transaction began',
    step: 30,
    ours: { writes: ['["insert","nodes",{"parent_id":4}]'], 'node2.name': null },
  },
  'random/tree_all/549': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged inside the savepoint belongs to the session again',
    step: 28,
    ours: { 'state of Node:2': 'persistent' },
  },
  'random/version/47': {
    reason: 'pure mutators',
    instead: 'a pending child that goes to another parent is no orphan, and stays pending',
    step: 22,
    ours: { new: ['part2'], 'state of part2': 'pending' },
  },
  'random/version/383': {
    reason: 'pure mutators',
    instead: 'a child that goes from one parent to another is no orphan, and becomes pending',
    step: 28,
    ours: { new: ['part1'], 'state of part1': 'pending' },
  },
  'random/version/572': {
    reason: 'pure mutators',
    instead: 'a child that goes from one parent to another is no orphan, and becomes pending',
    step: 23,
    ours: { new: ['part2'], 'state of part2': 'pending' },
  },
  'random/mutual_post/575': {
    reason: 'outside objects stay outside',
    instead: 'the flush does not set the foreign key of an instance that has been expunged',
    step: 12,
    ours: { 'Ball:2.person_id': 1 },
  },
  'random/natural_passive/282': {
    reason: 'rollback is the earlier value',
    instead: 'a transient instance is what it was when the transaction began',
    step: 28,
    ours: { 'user4.fullname': 'e' },
  },
  'random/natural_passive/555': {
    reason: 'rollback is the earlier value',
    instead: 'what was known when the savepoint began is known again, so that the get asks and flushes nothing',
    step: 17,
    ours: {
      writes: [],
      changed: ['Address:e1', 'User:u2'],
      changedScalar: ['Address:e1'],
      'Address:e1.username': 'u2',
    },
  },
  'random/ua_pd/115': {
    reason: 'rollback is the earlier value',
    instead: 'what was loaded inside the savepoint of an instance that was known before is forgotten with it',
    step: 20,
    ours: { writes: ['["insert","users",{"name":"b"}]'], new: [], 'state of user5': 'persistent' },
  },
  'random/ua_pd/346': {
    reason: 'explicit loads',
    instead: 'the collection is loaded after the flush, not by a refresh before it',
    step: 16,
    ours: { value: ['Address:3', 'Address:5'], 'User:1.addresses': ['Address:3', 'Address:5'] },
  },
  'random/ua_pd/535': {
    reason: 'explicit loads',
    instead: 'an eager load that a refresh repeats there does not happen here',
    step: 27,
    ours: { 'state of Address:2#2': 'not met', 'state of User:1#2': 'not met' },
  },
  'random/o2o_orphan/347': {
    reason: 'explicit loads',
    instead: 'an eager load that a refresh repeats there does not happen here, so the cascade has to load',
    step: 24,
    ours: { writes: ['["update","users",{"name":"b"},{"id":2}]'], selects: ['select profiles'] },
  },
  'random/o2o_orphan/368': {
    reason: 'row switch only within one class',
    instead: 'the row has the values already, so nothing is written',
    step: 14,
    ours: {
      writes: [
        '["delete","profiles",{"id":3}]',
        '["insert","profiles",{"bio":"e","user_id":2}]',
        '["update","profiles",{"user_id":3},{"id":4}]',
      ],
    },
  },
  'random/twoparents/223': {
    reason: 'pure mutators',
    instead: 'a child that goes from one parent to another is no orphan, and becomes pending',
    step: 24,
    ours: { new: ['note4'], 'state of author3': 'transient', 'state of note4': 'pending' },
  },
  'random/graph/499': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged inside the savepoint belongs to the session again',
    step: 10,
    ours: { 'state of Person:1': 'persistent' },
  },
  'random/viewonly/374': {
    reason: 'rollback is the earlier value',
    instead: 'what was known when the savepoint began is known again, the collection included',
    step: 11,
    ours: { changed: ['Order:1', 'User:1'] },
  },
  'random/viewonly/521': {
    reason: 'explicit loads',
    instead: 'a collection that is loaded is not loaded once more',
    step: 28,
    ours: { 'state of Order:3#2': 'not met' },
  },
  'random/tree_orphan/102': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction that failed belongs to the session again',
    step: 19,
    ours: {
      'state of Node:3': 'persistent',
      'state of Node:2': 'persistent',
      'state of Node:4': 'persistent',
      'state of Node:5': 'persistent',
    },
  },
  'random/tree_orphan/312': {
    reason: 'rollback is the earlier value',
    instead: 'what was known when the savepoint began is known again, so that the reference does not change',
    step: 23,
    ours: { changed: [], changedScalar: [] },
  },
  'random/tree_orphan/354': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so another is given',
    step: 17,
    ours: { writes: ['["insert","nodes",{"name":"d","parent_id":2}]'] },
  },
  'random/tree_orphan/396': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so another is given',
    step: 24,
    ours: { writes: ['["insert","nodes",{}]'] },
  },
  'random/deferredcols/314': {
    reason: 'rollback is the earlier value',
    instead: 'a transient instance is what it was when the savepoint began',
    step: 13,
    ours: { 'doc1.body': 'e', 'doc1.size': 1 },
  },
  'random/deferredcols/377': {
    reason: 'rollback is the earlier value',
    instead: 'the keys that the rolled-back flush gave are gone, so two instances do not clash',
    step: 17,
    ours: {
      error: null,
      new: ['doc1', 'doc4'],
      'state of doc1': 'pending',
      'state of doc2': 'persistent',
      'state of doc4': 'pending',
    },
  },
  'random/deferredcols/440': {
    reason: 'explicit loads',
    instead: 'the update does not load its row first, and finds that it is gone',
    step: 17,
    ours: { error: { type: 'StaleData' } },
  },
  'random/deferredcols/524': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so there is no row to take over',
    step: 23,
    ours: { writes: ['["delete","docs",{"id":5}]', '["insert","docs",{"body":"e"}]'], 'doc2.id': 6 },
  },
  'random/three/127': {
    reason: 'rollback is the earlier value',
    instead: 'a transient instance is what it was when the transaction began',
    step: 27,
    ours: { 'line1.qty': 3 },
  },
  'random/three/169': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so another is given',
    step: 27,
    ours: {
      writes: [
        '["insert","lines",{"order_id":3,"qty":2}]',
        '["insert","lines",{"order_id":3,"qty":3}]',
        '["insert","users",{"name":"c"}]',
      ],
    },
  },
  'random/three/337': {
    reason: 'explicit loads',
    instead: 'an eager load that a refresh repeats there does not happen here',
    step: 24,
    ours: { 'state of Line:2#2': 'not met' },
  },
  'random/three/484': {
    reason: 'rollback is the earlier value',
    instead: 'what was deleted before the savepoint began is deleted still',
    step: 34,
    ours: { 'state of Line:3': 'deleted' },
  },
  'random/joined/321': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so another is given',
    step: 21,
    ours: { writes: ['["insert","machines",{"label":"e"}]'] },
  },
  'random/joined/342': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction belongs to the session again',
    step: 23,
    ours: { 'state of company3': 'persistent' },
  },
  'random/joined/531': {
    reason: 'rollback is the earlier value',
    instead: 'the key that the rolled-back flush gave is gone, so another is given',
    step: 14,
    ours: {
      writes: ['["delete","managers",{"id":2}]', '["delete","people",{"id":2}]', '["insert","machines",{"label":"d"}]'],
    },
  },
  'random/joined_version/166': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction belongs to the session again',
    step: 27,
    ours: { 'state of Sub:3': 'persistent', 'state of Sub:3#2': 'detached' },
  },
  'random/joined_version/208': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction belongs to the session again',
    step: 10,
    ours: { 'state of Sub:3': 'persistent' },
  },
  'random/joined_version/418': {
    reason: 'explicit loads',
    instead: 'a get of a subtype loads what a get of its base left out, and flushes first',
    step: 5,
    ours: {
      writes: ['["update","bases",{"name":"d","rev":2},{"id":3,"rev":1}]'],
      changed: [],
      changedScalar: [],
      'Sub:3.rev': 2,
    },
  },
  'random/single/427': {
    reason: 'solvable is solved',
    instead: 'two who change places in the tree: each row is updated, in either order',
    step: 29,
    ours: { error: null, 'state of engineer1': 'persistent', 'state of manager2': 'persistent' },
  },
  'random/single/91': {
    reason: 'solvable is solved',
    instead: 'two who change places in the tree: each row is updated, in either order',
    step: 23,
    ours: { error: null, 'state of engineer4': 'persistent', 'state of manager5': 'persistent' },
  },
  'random/tree_keyed/285': {
    reason: 'pure mutators',
    instead: 'a pending child that goes to another parent is no orphan, and stays pending',
    step: 6,
    ours: { new: ['node1'], 'state of node1': 'pending' },
  },
  'random/tree_keyed/348': {
    reason: 'rollback is the earlier value',
    instead: 'what was known when the savepoint began is known again, so that the reference does not change',
    step: 24,
    ours: { changed: [], changedScalar: [] },
  },
  'random/tree_keyed/390': {
    reason: 'explicit loads',
    instead: 'the collection is loaded after the flush, not by a refresh before it',
    step: 17,
    ours: { value: {}, 'Node:1.children': {} },
  },
  'random/ua_set_orphan/140': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction belongs to the session again, and what is transient is what it was',
    step: 17,
    ours: { 'state of Address:1': 'persistent', 'address1.email': 'e' },
  },
  'random/ua_set_orphan/224': {
    reason: 'pure mutators',
    instead: 'a pending child that goes to another parent is no orphan, and stays pending',
    step: 9,
    ours: { new: ['address1', 'user2'], 'state of address1': 'pending' },
  },
  'random/ua_set_orphan/266': {
    reason: 'explicit loads',
    instead: 'a get loads what has expired of the instance, and flushes first',
    step: 19,
    ours: {
      writes: ['["update","users",{"name":"e"},{"id":1}]'],
      selects: ['select users'],
      changed: [],
      changedScalar: [],
    },
  },
  'random/ua_set_orphan/287': {
    reason: 'pure mutators',
    instead: 'a pending child that goes to another parent is no orphan, and stays pending',
    step: 19,
    ours: { new: ['address3'], 'state of address3': 'pending' },
  },
  'random/ua_set_orphan/392': {
    reason: 'pure mutators',
    instead: 'a pending child that goes to another parent is no orphan, and stays pending',
    step: 10,
    ours: { new: ['address1'], 'state of address1': 'pending' },
  },
  'random/ua_set_orphan/455': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction belongs to the session again',
    step: 16,
    ours: { 'state of Address:3': 'persistent' },
  },
  'random/ua_set_orphan/539': {
    reason: 'rollback is the earlier value',
    instead: 'what was expunged in the transaction that failed belongs to the session again',
    step: 31,
    ours: { 'state of User:2': 'persistent' },
  },
}

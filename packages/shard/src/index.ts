// The public names of @unitary/shard.
export {}

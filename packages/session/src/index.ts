// The public names of @unitary/session.
export {}

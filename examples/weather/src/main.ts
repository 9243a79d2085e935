// The entry point of the weather example.
export {}

/**
 * Whether code may be generated: it may not under a content security policy without `unsafe-eval`, or with Node's
 * `--disallow-code-generation-from-strings`. Plain closures do the same there, slower.
 */
export const mayGenerate = (): boolean => {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
}

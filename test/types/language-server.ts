/**
 * What an editor is told: TypeScript's own language server, asked as an editor asks it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Hover {
  /** What is shown, without the fence around it. */
  readonly text: string
  readonly milliseconds: number
}

export interface Editor {
  /** What is shown of the first place that the name stands in. */
  readonly hover: (name: string) => Promise<Hover>
  readonly close: () => void
}

/** Opens a file of TypeScript in a project of its own. */
export const editorOf = async (source: string): Promise<Editor> => {
  const cache = join(root, 'test/node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'editor-'))
  const file = join(folder, 'fixture.ts')
  const compilerOptions = {
    composite: false,
    noEmit: true,
    rootDir: root,
    types: [],
    declaration: false,
    declarationMap: false,
  }
  writeFileSync(file, source)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files: ['fixture.ts'] }),
  )
  const server = spawn(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--lsp', '--stdio'])
  const connection = connect(server)
  const uri = pathToFileURL(file).href
  await connection.request('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { textDocument: { hover: { contentFormat: ['markdown'] } } },
  })
  connection.notify('initialized', {})
  connection.notify('textDocument/didOpen', {
    textDocument: { uri, languageId: 'typescript', version: 1, text: source },
  })
  const lines = source.split('\n')
  return {
    hover: async (name) => {
      const line = lines.findIndex((text) => new RegExp(`\\b${name}\\b`).test(text))
      const character = (lines[line] ?? '').search(new RegExp(`\\b${name}\\b`))
      const start = performance.now()
      const found = await connection.request('textDocument/hover', {
        textDocument: { uri },
        position: { line, character },
      })
      return { text: shown(found), milliseconds: performance.now() - start }
    },
    close: () => {
      server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const shown = (found: unknown): string => {
  const { contents } = (found ?? { contents: '' }) as { readonly contents: string | { readonly value: string } }
  const text = typeof contents === 'string' ? contents : contents.value
  return /^```\w*\n(.*?)\n```/s.exec(text)?.[1] ?? text
}

const connect = (server: ChildProcessWithoutNullStreams) => {
  const waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >()
  let asked = 0
  let buffer = Buffer.alloc(0)
  const send = (message: object): void => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const receive = ({ error, id, method, result }: Message): void => {
    // what the server itself asks for is nothing that a hover depends on
    if (method !== undefined) {
      if (id !== undefined) send({ id, result: null })
      return
    }
    const one = waiting.get(id as number)
    waiting.delete(id as number)
    if (error === undefined) one?.resolve(result)
    else one?.reject(new Error(error.message))
  }
  server.stdout.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const end = buffer.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.toString('utf8', 0, Math.max(end, 0)))?.[1])
      if (end === -1 || buffer.length < end + 4 + length) return
      receive(JSON.parse(buffer.toString('utf8', end + 4, end + 4 + length)) as Message)
      buffer = buffer.subarray(end + 4 + length)
    }
  })
  server.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the language server has ended'))
  })
  return {
    request: (method: string, params: object): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const id = asked++
        waiting.set(id, { resolve, reject })
        send({ id, method, params })
      }),
    notify: (method: string, params: object): void => send({ method, params }),
  }
}

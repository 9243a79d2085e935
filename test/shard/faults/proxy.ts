/**
 * A TCP proxy before a database, which hangs, cuts connections, or is down, as networks and servers do.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** From here on nothing goes through, either way, on any connection. */
  readonly hang: () => void
  /** The same after so many bytes from the server. */
  readonly hangAfter: (bytes: number) => void
  /** New connections pass; those that hang go on hanging. */
  readonly pass: () => void
  /** Every chunk of the server's comes so much later. */
  readonly delay: (milliseconds: number) => void
  /** Ends every connection in the middle of whatever it is at. */
  readonly cut: () => void
  /** Refuses new connections, and cuts those that are there. */
  readonly down: () => Promise<void>
  readonly up: () => Promise<void>
  /** Connections that the database side has. */
  readonly connections: () => number
  readonly close: () => Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  isHanging: boolean
}

export const openProxy = async (target: number): Promise<TcpProxy> => {
  const pairs = new Set<Pair>()
  let isHanging = false
  let allowance = Number.POSITIVE_INFINITY
  let wait = 0
  const accept = (client: Socket): void => {
    const server = connect(target, '127.0.0.1')
    const pair: Pair = { client, server, isHanging }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', end)
    }
    client.on('close', end)
    server.on('close', () => {
      // a server that hangs says nothing when it goes, either
      if (!pair.isHanging) end()
    })
    client.on('data', (chunk) => {
      if (!pair.isHanging) server.write(chunk)
    })
    server.on('data', (chunk) => {
      if (pair.isHanging) return
      allowance -= chunk.length
      if (allowance < 0) {
        pair.isHanging = true
        return
      }
      if (wait === 0) client.write(chunk)
      else setTimeout(() => client.destroyed || client.write(chunk), wait)
    })
  }
  const listen = (port: number): Promise<Server> =>
    new Promise((resolve) => {
      const server = createServer(accept)
      server.listen(port, '127.0.0.1', () => resolve(server))
    })
  let listener = await listen(0)
  const { port } = listener.address() as { readonly port: number }
  const cut = (): void => {
    for (const { client, server } of pairs) {
      client.destroy()
      server.destroy()
    }
    pairs.clear()
  }
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      cut()
      listener.close(() => resolve())
    })
  return {
    port,
    hang: () => {
      isHanging = true
      for (const pair of pairs) pair.isHanging = true
    },
    hangAfter: (bytes) => {
      allowance = bytes
    },
    pass: () => {
      isHanging = false
      allowance = Number.POSITIVE_INFINITY
    },
    delay: (milliseconds) => {
      wait = milliseconds
    },
    cut,
    down: stop,
    up: async () => {
      listener = await listen(port)
    },
    connections: () => pairs.size,
    close: stop,
  }
}

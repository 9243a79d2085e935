import { defineConfig } from 'vitest/config'

// Tests run against the packages' sources, with no build before them. Benches run against the build, as users do.
export default defineConfig(({ mode }) => {
  const conditions = [...(mode === 'benchmark' ? [] : ['@unitary/source']), 'module', 'node', 'development|production']
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: ['test/**/*.test.ts'],
      // properties run hundreds of cases, on machines that do other work beside them
      testTimeout: 120_000,
      benchmark: { include: ['test/**/*.bench.ts'] },
      server: {
        deps: {
          external: [/\/packages\/[^/]+\/dist\//],
          // sources that tests have printed
          inline: [/\/node_modules\/\.cache\//],
        },
      },
      coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] },
    },
  }
})

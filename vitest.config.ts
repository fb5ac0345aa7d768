import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Most tests wait for sockets and disks rather than for a core.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ['test/support/build-once.ts'],
    setupFiles: ['test/support/no-network.ts'],
    reporters: ['default', './test/support/ci-reporter.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 5_000,
  },
})

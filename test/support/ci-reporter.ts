/** Prints the one closing line CI reads. Vitest's own summary is not in that form. */
import type { Reporter, TestModule } from 'vitest/node'

export default class CiReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[] = []): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      // A file that cannot be loaded holds no tests, and must not pass for that.
      if (module.errors().length > 0) count.failed++
    }
    // A test that never ended has not passed; neither has a run with errors outside of tests.
    const failed = count.failed + count.pending + unhandled.length
    console.log(`${count.passed} passed, ${failed} failed, ${count.skipped} skipped`)
  }
}

/** Things that must be closed, in the reverse order of their opening, even when one of them fails to close. */
export class Resources implements AsyncDisposable {
  private held: (AsyncDisposable | Disposable)[] = []

  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.held.push(resource)
    return resource
  }

  /** Hands everything over to a new owner; this one closes nothing any more. */
  move(): Resources {
    const owner = new Resources()
    owner.held = this.held
    this.held = []
    return owner
  }

  /** Rejects with the first failure, after everything has been tried. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (const resource of this.held.splice(0).reverse()) {
      try {
        if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]()
        else resource[Symbol.dispose]()
      } catch (cause) {
        failures.push(cause)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

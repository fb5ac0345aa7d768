/**
 * Reads the titles of tests out of a test source, without running it. It leans on the formatting that is checked in this
 * repository: one call in a line of its own, nested ones further in.
 */

export type Title = {
  /** The titles around it and its own, joined by " > ". What is filled in while running is written as "…". */
  readonly path: string
  readonly own: string
  /** Not run: the test or something around it is skipped. */
  readonly skipped: boolean
}

const CALL = /^( *)(describe|it|test)((?:\.\w+)*)\(/gm

export function titlesIn(source: string): readonly Title[] {
  const titles: Title[] = []
  let around: readonly { readonly indent: number; readonly own: string; readonly skipped: boolean }[] = []
  for (const call of source.matchAll(CALL)) {
    const [text, spaces = '', kind, modifiers = ''] = call
    const own = titleAt(source, call.index + text.length, modifiers.endsWith('.each'))
    if (own === undefined) continue
    const indent = spaces.length
    around = around.filter((outer) => outer.indent < indent)
    const skipped = /\.(skip|todo|skipIf|runIf)/.test(modifiers) || around.some((outer) => outer.skipped)
    if (kind === 'describe') around = [...around, { indent, own, skipped }]
    else titles.push({ own, skipped, path: [...around.map((outer) => outer.own), own].join(' > ') })
  }
  return titles
}

/** The text that a call begins with; behind the list of cases when there is one. A title in a variable is none. */
function titleAt(source: string, from: number, each: boolean): string | undefined {
  let at = from
  if (each) {
    at = afterClosing(source, at)
    if (source[at] !== '(') return undefined
    at += 1
  }
  while (/\s/.test(source[at] ?? '')) at += 1
  return /['"`]/.test(source[at] ?? '') ? textAt(source, at).text : undefined
}

/** Where the parenthesis ends whose inside begins here. */
function afterClosing(source: string, from: number): number {
  let depth = 1
  let at = from
  while (depth > 0 && at < source.length) {
    const sign = source[at] ?? ''
    if (/['"`]/.test(sign)) {
      at = textAt(source, at).end
      continue
    }
    if (source.startsWith('// ', at)) at = source.indexOf('\n', at)
    if (sign === '(') depth += 1
    if (sign === ')') depth -= 1
    at += 1
  }
  return at
}

/** A text in quotes, and where it ends. */
function textAt(source: string, from: number): { readonly text: string; readonly end: number } {
  const quote = source[from]
  let text = ''
  let at = from + 1
  while (at < source.length && source[at] !== quote) {
    if (source[at] === '\\') {
      text += source[at + 1] ?? ''
      at += 2
    } else if (quote === '`' && source.startsWith('${', at)) {
      text += '…'
      at = afterHole(source, at + 2)
    } else {
      text += source[at]
      at += 1
    }
  }
  return { text, end: at + 1 }
}

function afterHole(source: string, from: number): number {
  let depth = 1
  let at = from
  while (depth > 0 && at < source.length) {
    if (source[at] === '{') depth += 1
    if (source[at] === '}') depth -= 1
    at += 1
  }
  return at
}

/** Reads the Link header of a page (RFC 8288). A link is followed on the same origin only: our token is for that one. */

/** What partners call the page before: the name of the specification, and the one registered for links. */
export const PREVIOUS = ['previous', 'prev'] as const
export const NEXT = ['next'] as const

/** The page that a relation leads to from the present one, if the header has such a link. */
export function linkTo(
  relations: readonly string[],
  header: string | string[] | undefined,
  current: string,
): string | undefined {
  for (const [target, names] of links([header].flat().join(','))) {
    if (!names.some((name) => relations.includes(name)) || !URL.canParse(target, current)) continue
    const url = new URL(target, current)
    return url.origin === new URL(current).origin ? url.href : undefined
  }
  return undefined
}

function links(header: string): readonly (readonly [target: string, relations: readonly string[]])[] {
  return header.split(/,(?=\s*<)/).flatMap((part) => {
    const [, target, parameters = ''] = /^\s*<([^>]*)>(.*)$/s.exec(part) ?? []
    const [, quoted, bare = ''] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? []
    return target === undefined ? [] : [[target, (quoted ?? bare).toLowerCase().split(/\s+/)] as const]
  })
}

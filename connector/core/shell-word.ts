/** A word as a shell takes it: commands that we tell people to run may name what a stranger chose. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

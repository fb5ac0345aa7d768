// Follows the live records of a transfer over the management API, in any program that can read HTTP.
//   HANDSCHLAG_TOKEN=$(npx handschlag token create follower) node examples/follow.mjs TRANSFER
// TRANSFER is the whole id that `npx handschlag transfer list --json` shows; MANAGEMENT_URL when it is not the default.
const [transfer] = process.argv.slice(2)
const { HANDSCHLAG_TOKEN: token, MANAGEMENT_URL: base = 'http://127.0.0.1:8485' } = process.env
if (transfer === undefined || token === undefined) {
  console.error('Usage: HANDSCHLAG_TOKEN=... node examples/follow.mjs TRANSFER')
  process.exit(2)
}

const address = `${base}/api/v1/transfers/${encodeURIComponent(transfer)}/stream`
let lastId

/** One connection: prints records until it breaks; answers the end that the provider states. */
async function follow() {
  const answer = await fetch(address, {
    headers: {
      Authorization: `Bearer ${token}`,
      Accept: 'text/event-stream',
      // Goes on behind the last record, so that a broken connection loses nothing.
      ...(lastId === undefined ? {} : { 'Last-Event-ID': lastId }),
    },
  })
  // 5xx passes by itself; everything else is final.
  if (answer.status >= 500) return undefined
  if (!answer.ok) return answer.json()
  let text = ''
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const fields = Object.fromEntries(event.split('\n').map((line) => line.split(/: (.*)/s)))
      if (fields.event === 'end') return JSON.parse(fields.data)
      if (fields.data !== undefined) console.log(fields.data)
      lastId = fields.id ?? lastId
    }
  }
  return undefined
}

for (;;) {
  const end = await follow().catch(() => undefined)
  if (end !== undefined) {
    console.error(`Ended: ${end.message ?? end.reason} (${end.code})`)
    break
  }
  await new Promise((resolve) => setTimeout(resolve, 2000))
}

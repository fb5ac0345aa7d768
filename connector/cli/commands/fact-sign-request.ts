/** `fact sign-request`: the wish of the user of a machine, signed so that the holder of its data can rely on it. */
import { type Command, complain, say, usageError } from '../command.js'
import { answer, connected, inLang } from './connected.js'
import { failPartner, findPartner } from './ids.js'
import { viewOf } from './view.js'

const named = (value: string, en: string, de: string) =>
  ({ type: 'string', value, about: { en, de } }) as const

export const signRequestCommand: Command = {
  name: 'fact sign-request',
  summary: {
    en: 'as the user of a machine: sign the request that its data holder shares data with a third party',
    de: 'als Nutzer einer Maschine: das Verlangen signieren, dass ihr Dateninhaber Daten mit einem Dritten teilt',
  },
  usage: '--holder NAME --recipient DID [--dataset ID] [options]',
  options: {
    holder: named('NAME', 'the partner that holds the data', 'der Partner, der die Daten hat'),
    recipient: named('DID', 'the third party that shall receive it', 'der Dritte, der sie erhalten soll'),
    dataset: named('ID', 'only this dataset of the holder', 'nur dieser Datensatz des Dateninhabers'),
    id: named('ID', 'id of the request (default: a new one)', 'Kennung des Verlangens (sonst: eine neue)'),
  },
  json: true,
  examples: [
    'handschlag fact sign-request --holder Maker --recipient did:web:service.example.com > request.jws',
  ],
  run: async (call) => {
    const [holder, recipient] = [call.value('holder'), call.value('recipient')]
    if (holder === undefined || recipient === undefined) {
      const what = {
        en: 'A request needs --holder and --recipient.',
        de: 'Ein Verlangen braucht --holder und --recipient.',
      }
      return usageError(call, what, 'fact sign-request')
    }
    return connected(call, async (here) => {
      const partner = await findPartner(here, holder)
      if (!partner.ok) return failPartner(here, partner.error)
      const [dataset, id] = [here.value('dataset'), here.value('id')]
      const made = await here.client.post('/api/v1/user-requests', {
        holder: partner.value.text('did'),
        recipient,
        ...(dataset === undefined ? {} : { dataset }),
        ...(id === undefined ? {} : { id }),
      })
      return answer(here, made, (value) => {
        const signed = viewOf(value)
        say(here, signed.text('statement'))
        complain(
          here,
          inLang(
            here,
            `Give this to the holder of the data. The request is ${signed.text('id')}.`,
            `Geben Sie das dem Dateninhaber. Das Verlangen ist ${signed.text('id')}.`,
          ),
        )
      })
    })
  },
}

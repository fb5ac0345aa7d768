/** JSON Schema 2020-12 in few words, and the shapes that requests and answers of the management API share. */
export type Schema = { readonly [key: string]: unknown }

export const text: Schema = { type: 'string' }
export const whole: Schema = { type: 'integer', minimum: 0 }
export const flag: Schema = { type: 'boolean' }
export const time: Schema = { type: 'string', format: 'date-time' }
export const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values })
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const described = (schema: Schema, description: string): Schema => ({ ...schema, description })
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
/** JSON whose inside this API does not define. */
export const anything = (description: string): Schema => ({ type: 'object', description })

export type Properties = { readonly [name: string]: Schema }

/** `optional` names the properties that may be absent. */
export const object = (properties: Properties, optional: readonly string[] = []): Schema => {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
}
export const request = (properties: Properties, optional: readonly string[] = []): Schema => ({
  ...object(properties, optional),
  additionalProperties: false,
})

export const seal = oneOf('off', 'offer', 'require')
export const approval = described(
  oneOf('automatic', 'stricter-or-equal', 'manual'),
  'automatic: a request for exactly the published terms is agreed at once. stricter-or-equal: so are other terms, if they certainly allow no more than the published ones; for all others a person decides. manual: a person approves every request for a contract.',
)
export const signal = (make: typeof object): Schema =>
  make(
    {
      name: { type: 'string', minLength: 1, maxLength: 128 },
      type: oneOf('number', 'integer', 'string', 'boolean'),
      unit: described({ type: 'string', maxLength: 64 }, 'UCUM or plain text.'),
      description: { type: 'string', maxLength: 4096 },
      identifies: described(
        { type: 'boolean' },
        'Its values tell machines, orders or people apart: replaced under a contract with pseudonyms.',
      ),
    },
    ['unit', 'description', 'identifies'],
  )

/** Signals in the words of a partner, which may know other types and longer units than we do. */
export const remoteSignals: Schema = described(
  list(object({ name: text, type: text, unit: text, description: text }, ['type', 'unit', 'description'])),
  'What the partner says it delivers under at least one of these offers; empty when it says nothing.',
)

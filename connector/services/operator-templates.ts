/** The policy templates that come with the program, for the operator: what there is, and a policy made of one. */
import { ok, type Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import { instantiate } from '../policy/templates/instantiate.js'
import { type Preview, preview } from '../policy/templates/preview.js'
import { templateOf, templates } from '../policy/templates/shelf.js'
import type { Template } from '../policy/templates/template.js'

export type TemplateView = Omit<Template, 'policy' | 'vectors'>

/** The vectors are for tests; the skeleton is not a policy. */
const view = ({ id, version, title, purpose, dataAct, parameters }: Template): TemplateView => ({
  id,
  version,
  title,
  purpose,
  dataAct,
  parameters,
})

/** Which template, and what for its parameters. */
export type TemplateChoice = { readonly id: string; readonly values?: JsonObject }

export function policyFromTemplate({ id, values = {} }: TemplateChoice): Result<JsonObject> {
  const template = templateOf(id)
  if (!template.ok) return template
  const instance = instantiate(template.value, values)
  return instance.ok ? ok(instance.value.policy) : instance
}

export function templateOperations() {
  return {
    list: (): { readonly templates: readonly TemplateView[] } => ({ templates: templates().map(view) }),

    show(id: string): Result<TemplateView> {
      const template = templateOf(id)
      return template.ok ? ok(view(template.value)) : template
    },

    fill(id: string, values: JsonObject): Result<Preview & { readonly policy: JsonObject }> {
      const template = templateOf(id)
      if (!template.ok) return template
      const instance = instantiate(template.value, values)
      if (!instance.ok) return instance
      const shown = preview(instance.value)
      return shown.ok ? ok({ policy: instance.value.policy, ...shown.value }) : shown
    },
  }
}

export type TemplateOperations = ReturnType<typeof templateOperations>

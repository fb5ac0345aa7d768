/** All schemas by name. The OpenAPI document and the checks are both made from here. */
import type { Schema } from './schema.js'
import { ANSWERS } from './schemas-answers.js'
import { PARTS, REQUESTS } from './schemas-requests.js'

export const SCHEMAS: Readonly<Record<string, Schema>> = { ...REQUESTS, ...PARTS, ...ANSWERS }

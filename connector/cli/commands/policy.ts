/** `policy ...`: the policy language as a tool of its own, without a running connector; `policy who`, which needs one, stands with those that do. */
import type { Command } from '../command.js'
import { checkCommand } from './policy-check.js'
import { compareCommand } from './policy-compare.js'
import { evaluateCommand } from './policy-evaluate.js'
import { newCommand, templatesCommand } from './policy-template.js'

export const policyCommands: readonly Command[] = [
  templatesCommand,
  newCommand,
  checkCommand,
  compareCommand,
  evaluateCommand,
]

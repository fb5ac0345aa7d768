/** `policy ...`: the policy language as a tool of its own, without a running connector. */
import type { Command } from '../command.js'
import { evaluateCommand } from './policy-evaluate.js'

export const policyCommands: readonly Command[] = [evaluateCommand]

/**
 * Shape to satisfy: a shaping term speaks about the delivered rendition, and the data plane makes it true by its
 * pipeline. A readable shaping term therefore holds whenever data is delivered through the plan.
 */
import type { Text } from '../../core/types.js'
import type { Phase } from '../model.js'
import type { OperatorRule, Outcome } from './operand.js'

const SHAPED: readonly Phase[] = ['transfer', 'delivery']

export const shapingRule = (stricter: OperatorRule['stricter']): OperatorRule => ({
  stricter,
  phases: SHAPED,
})

export const madeTrue = (clause: () => Text): Outcome => ({ verdict: 'true', text: clause })

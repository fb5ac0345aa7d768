/** What a received message is called in the state tables, for the history of a process. Pure. */
import { EVENT_FINALIZED, type MessageName } from './messages.js'

const NAMES: { readonly [M in MessageName]?: string } = {
  ContractRequestMessage: 'request',
  ContractOfferMessage: 'offer',
  ContractAgreementMessage: 'agree',
  ContractAgreementVerificationMessage: 'verify',
  ContractNegotiationTerminationMessage: 'terminate',
  TransferRequestMessage: 'request',
  TransferStartMessage: 'start',
  TransferSuspensionMessage: 'suspend',
  TransferCompletionMessage: 'complete',
  TransferTerminationMessage: 'terminate',
}

export function eventNameOf(name: MessageName, body: unknown): string {
  if (name !== 'ContractNegotiationEventMessage') return NAMES[name] ?? name
  const { eventType } = (body ?? {}) as { readonly eventType?: unknown }
  return eventType === EVENT_FINALIZED ? 'finalize' : 'accept'
}

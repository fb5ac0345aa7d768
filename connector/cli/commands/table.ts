/** Every command that talks to the running connector, in the order in which a newcomer needs them. */
import type { Command } from '../command.js'
import { catalogCommand } from './catalog.js'
import { contractCommands } from './contract.js'
import { datasetCommands } from './dataset.js'
import { type FollowDeps, processDeps } from './deps.js'
import { dutyCommands } from './duty.js'
import { factCommands } from './fact.js'
import { negotiateCommand } from './negotiate.js'
import { negotiationCommands } from './negotiation.js'
import { offerCommands } from './offer.js'
import { partnerCommands } from './partner.js'
import { whoCommand } from './policy-who.js'
import { pullCommand } from './pull.js'
import { pushCommand } from './push.js'
import { shapeCommands } from './shape.js'
import { sourceCommands } from './source.js'
import { statusCommand } from './status.js'
import { streamCommand } from './stream.js'
import { tokenCommands } from './token.js'
import { transferCommands } from './transfer.js'

export const commandsWith = (deps: FollowDeps): readonly Command[] => [
  statusCommand,
  ...partnerCommands,
  ...sourceCommands,
  ...datasetCommands,
  ...shapeCommands,
  ...offerCommands,
  ...factCommands,
  catalogCommand,
  negotiateCommand(deps),
  ...negotiationCommands(deps),
  ...contractCommands,
  ...dutyCommands,
  ...transferCommands(deps),
  pullCommand(deps),
  streamCommand(deps),
  pushCommand(deps),
  ...tokenCommands,
  whoCommand,
]

export const connectorCommands: readonly Command[] = commandsWith(processDeps)

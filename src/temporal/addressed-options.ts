import type { ConnectionOptions } from '@temporalio/client'

/** What opening a connection to Temporal is given. */
export interface AddressedOptions extends Pick<ConnectionOptions, 'tls' | 'metadata'> {
  address: string
  apiKey?: string
}

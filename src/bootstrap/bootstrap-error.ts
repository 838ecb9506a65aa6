/** Something in the environment that cannot be carried out; the message is for the operator. */
export class BootstrapError extends Error {}

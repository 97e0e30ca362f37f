/** When the last backup was made, for whoever watches: a file in the data folder, with a time in ISO 8601. */
export const lastBackup = 'last-backup'

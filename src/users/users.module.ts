import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionsModule } from '../sessions/index.js';
import { AccountRecovery } from './account-recovery.js';
import { DeclaredAccount } from './declared-account.entity.js';
import { DeclaredAccounts } from './declared-accounts.js';
import { LoginAttempts } from './login-attempts.entity.js';
import { LoginThrottle } from './login-throttle.js';
import { OwnAccount } from './own-account.js';
import { OwnerPasswords } from './owner-passwords.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordLogin } from './password-login.js';
import { PasswordPolicy } from './password-policy.js';
import { SeededAccount } from './seeded-account.js';
import { UserAdministration } from './user-administration.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, DeclaredAccount, LoginAttempts]), SessionsModule],
  controllers: [UsersController],
  providers: [
    AccountRecovery,
    DeclaredAccounts,
    LoginThrottle,
    OwnAccount,
    OwnerPasswords,
    PasswordHasher,
    PasswordLogin,
    PasswordPolicy,
    SeededAccount,
    UserAdministration,
    UsersService,
  ],
  exports: [
    AccountRecovery,
    DeclaredAccounts,
    OwnAccount,
    OwnerPasswords,
    PasswordHasher,
    PasswordLogin,
    PasswordPolicy,
    SeededAccount,
    UserAdministration,
    UsersService,
  ],
})
export class UsersModule {}

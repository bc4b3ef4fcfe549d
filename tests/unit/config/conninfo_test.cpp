#include "config/conninfo.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace heiasync::config {
namespace {

TEST(MaskPasswords, hides_them_wherever_libpq_takes_them) {
    const std::pair<const char*, const char*> cases[] = {
        {"postgresql://u:hunter2@h/d", "postgresql://u:***@h/d"},
        {"postgres://u:hunter2@h:5432,i:5433/d?target_session_attrs=primary",
         "postgres://u:***@h:5432,i:5433/d?target_session_attrs=primary"},
        {"postgresql://:hunter2@h", "postgresql://:***@h"},
        {"postgresql://u:hun:ter?2@h", "postgresql://u:***@h"},
        {"postgresql://h/d?password=hunter2", "postgresql://h/d?password=***"},
        {"postgresql://h/d?user=u&password=hunter2&sslmode=require",
         "postgresql://h/d?user=u&password=***&sslmode=require"},
        {"postgresql://h/d?p%61ssword=hunter2", "postgresql://h/d?p%61ssword=***"},
        {"postgresql://u:a@h/d?sslpassword=b", "postgresql://u:***@h/d?sslpassword=***"},
        {"postgresql://u:hunter2@[::1]:5432/d", "postgresql://u:***@[::1]:5432/d"},
        {"host=h password=hunter2 dbname=d", "host=h password=*** dbname=d"},
        {"password = 'hun ter\\'2' host=h", "password = '***' host=h"},
        {"password='hunter2'host=h", "password='***'host=h"},
        {"password=hun\\ ter2\thost=h", "password=***\thost=h"},
        {"password= hunter2=", "password= ***"},
        {"host=h sslpassword=hunter2", "host=h sslpassword=***"},
    };
    for (const auto& [conninfo, masked] : cases) {
        EXPECT_EQ(mask_passwords(conninfo), masked);
    }
}

TEST(MaskPasswords, leaves_alone_what_has_none) {
    for (const char* conninfo :
         {"", "postgresql://", "postgresql:///heiasync", "postgresql://u@h/d", "postgresql://u:@h/d",
          "postgresql://h:5432/d", "postgresql:///d?host=/run/postgresql&options=-c%20search_path=x",
          "postgresql://h/d?password=", "host=/run/postgresql dbname='a password=b'", "passfile=/root/.pgpass",
          "host=h password=", "password='' host=h", "password=\\"}) {
        EXPECT_EQ(mask_passwords(conninfo), conninfo);
    }
}

TEST(Conninfo, that_libpq_would_not_take_is_refused) {
    for (const char* conninfo :
         {"heiasync", "host", "host=h dbname", "=x", "host='h", "host=h 'x'", "password=''x host=h", "http://h/d",
          "jdbc:postgresql://h/d?a=b", "postgresql://u:p@ss@h/d", "postgresql://h?password=p/w&user=u@d",
          "postgresql://u:p/w@h/d", "postgresql://u:12/w@h/d", "postgresql://h:port/d", "postgresql://[::1:5432/d",
          "postgresql://h/d?password", "postgresql://h/d?a=b&c"}) {
        EXPECT_THROW((void)find_passwords(conninfo), std::invalid_argument) << conninfo;
    }
}

}  // namespace
}  // namespace heiasync::config
